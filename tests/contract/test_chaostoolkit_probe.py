from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gameday.spi import ProbeError, QueryError, Secrets, World
from gameday.testing import ProbeContract, Source
from gameday_drivers.chaostoolkit_probe import ChaosToolkitProbe

WORLD = World(run_id="r")
MODULE = "tests.fakes.chaos_extension"


def call(func: str, **arguments: Any) -> dict[str, Any]:
    return {"module": MODULE, "func": func, "arguments": arguments}


class TestChaosToolkitProbe(ProbeContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        file = tmp_path / "depth"
        file.write_text("3")
        return Source(
            probe=ChaosToolkitProbe(value=call("number_in", path=str(file)), timeout_=4_000),
            expected=lambda: float(file.read_text()),
            change=lambda: void(file.write_text("-7.25e1")),
            silence=lambda: void(file.write_text("hang")),
            spoil=lambda: void(file.write_text("three\nlines \x1b[31m")),
        )


def void(_: object) -> None:
    """Nothing."""


@pytest.mark.parametrize(
    ("value", "json", "number"),
    [
        (True, "", 1),
        (False, "", 0),
        ("2.5", "", 2.5),
        ({"data": [{"n": "7"}]}, "$.data[0].n", 7),
        ({"ok": True}, "$.ok", 1),
    ],
)
def test_what_a_probe_returns_as_a_number(value: Any, json: str, number: float) -> None:
    assert ChaosToolkitProbe(value=call("as_it_is", value=value), json=json).read(WORLD) == number


@pytest.mark.parametrize(
    ("value", "json", "words"),
    [
        ({"count": 1}, "", "returns dict with count, not a number"),
        (None, "", "NoneType, not a number"),
        ({"count": 1}, "$.depth", "there is no"),
        ("many", "", "not one number"),
    ],
)
def test_what_is_no_number_is_no_reading(value: Any, json: str, words: str) -> None:
    with pytest.raises(QueryError, match=words):
        ChaosToolkitProbe(value=call("as_it_is", value=value), json=json).read(WORLD)


def test_a_process_provider() -> None:
    probe = ChaosToolkitProbe(
        value={"provider": {"type": "process", "path": "echo", "arguments": "42"}}, json="$.stdout"
    )
    assert probe.read(WORLD) == 42


def test_a_probe_that_fails_is_missing_and_tells_no_secret() -> None:
    world = World(run_id="r", secrets=Secrets(values={"token": "hunter2"}))
    with pytest.raises(ProbeError, match=r"RuntimeError: refused for \*\*\*"):
        ChaosToolkitProbe(value=call("fail", text="refused for ${token}")).read(world)


def test_an_extension_that_is_not_there_is_missing() -> None:
    with pytest.raises(ProbeError, match="No module named 'absent'"):
        ChaosToolkitProbe(value={"module": "absent.probes", "func": "f"}).read(WORLD)


def test_a_wrong_path_is_refused() -> None:
    with pytest.raises(ValueError, match="json is not a path"):
        ChaosToolkitProbe(value=call("nothing"), json="data")
