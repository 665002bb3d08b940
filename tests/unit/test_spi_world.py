from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.model import ProcessRef
from gameday.spi import DriverError, ProxyRef, Secrets, World
from gameday.spi.world import ProcessSpec

WORDS = st.text(max_size=12)
SPECS = st.builds(
    ProcessSpec,
    name=WORDS,
    argv=st.lists(WORDS, min_size=1, max_size=3).map(tuple),
    env=st.dictionaries(WORDS, WORDS, max_size=3),
    cwd=WORDS,
    log=WORDS,
    restart=st.booleans(),
)
REFS = st.builds(ProcessRef, pid=st.integers(1), start=st.integers(0), boot_id=WORDS)
PROXIES = st.builds(
    ProxyRef, control=WORDS, name=WORDS, token=WORDS, listen=WORDS, upstream=WORDS, process=st.none() | REFS
)
WORLDS = st.builds(
    World,
    run_id=WORDS,
    system=st.dictionaries(WORDS, SPECS, max_size=3),
    proxies=st.dictionaries(WORDS, PROXIES, max_size=3),
    secrets=st.builds(Secrets, values=st.dictionaries(WORDS, WORDS, max_size=3)),
)


@given(WORLDS)
def test_a_world_crosses_a_process_boundary_whole(world: World) -> None:
    assert World.from_json(json.loads(json.dumps(world.to_json(with_secrets=True)))) == world


def test_secrets_and_tokens_cross_only_when_asked() -> None:
    world = World(
        run_id="r",
        proxies={"p": ProxyRef(control="http://127.0.0.1:1", name="p", token="open-sesame")},
        secrets=Secrets(values={"db": "hunter2"}),
    )
    text = json.dumps(world.to_json(with_secrets=False))
    assert "hunter2" not in text
    assert "open-sesame" not in text
    assert "hunter2" not in repr(world)
    assert "open-sesame" not in repr(world)
    assert World.from_json(json.loads(text)).proxies["p"].token == ""


def test_a_secret_is_revealed_and_masked() -> None:
    secrets = Secrets(values={"a": "hunter", "b": "hunter2", "empty": ""})
    assert secrets.reveal("x ${b} ${a} $${c") == "x hunter2 hunter $${c"
    assert secrets.mask("the hunter2 of hunter") == "the *** of ***"


def test_a_missing_secret_is_named() -> None:
    with pytest.raises(DriverError, match="'token' is not set") as caught:
        Secrets().reveal("${token}")
    assert "token" in caught.value.hint
