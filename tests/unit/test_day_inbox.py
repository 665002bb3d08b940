"""The inbox of a day: what is put in comes out whole, in its order; what others put there by hand harms nothing."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gameday.gamedays.day.folder import DayFolder
from gameday.gamedays.day.inbox import Message, close, drop, new_message, waiting
from gameday.schema.day.words import ROLES
from gameday.spi.errors import GamedayError

GOOD: dict[str, Any] = {
    "id": "1", "what": "note", "by": "cy", "role": "reporter", "at": 1_790_000_000.5, "text": "hm", "evidence": [],
}  # fmt: skip
LINK = {"kind": "link", "url": "https://a.example/1"}
FILE = {"kind": "file", "name": "a b.png", "file": "evidence/0123-a.png", "bytes": 3, "sha256": "ab"}


@pytest.fixture
def folder(tmp_path: Path) -> DayFolder:
    (tmp_path / "inbox").mkdir()
    return DayFolder(tmp_path)


def found(folder: DayFolder) -> list[Message | None]:
    return [message for _, message in waiting(folder.inbox)]


@given(text=st.text(max_size=50), by=st.text(min_size=1, max_size=20), role=st.sampled_from(ROLES))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_said_is_heard(folder: DayFolder, text: str, by: str, role: str) -> None:
    message = new_message("note", by=by, role=role, text=text, evidence=(LINK, FILE))
    drop(folder, message)
    (path, heard), *others = waiting(folder.inbox)
    path.unlink()
    assert not others
    assert heard is not None
    assert (heard.at, heard.evidence, heard.role) == (message.at, message.evidence, role)
    assert heard.text == message.text.encode("utf-8", "replace").decode()


def test_what_many_say_at_once_is_all_heard_and_in_order(folder: DayFolder) -> None:
    def speak(who: str) -> None:
        for number in range(20):
            drop(folder, new_message("note", by=who, role="observer", text=str(number)))

    threads = [threading.Thread(target=speak, args=(who,)) for who in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    heard = [message for message in found(folder) if message is not None]
    for who in "abc":
        assert [message.text for message in heard if message.by == who] == [str(number) for number in range(20)]


def test_nothing_is_said_to_a_closed_inbox_and_what_was_said_before_is_kept(folder: DayFolder) -> None:
    drop(folder, new_message("note", by="cy", role="reporter", text="just in time"))
    moved = close(folder)
    with pytest.raises(GamedayError, match="takes nothing any more"):
        drop(folder, new_message("note", by="cy", role="reporter", text="too late"))
    assert [message.text for _, message in waiting(moved) if message is not None] == ["just in time"]
    assert sorted(path.name for path in folder.path.iterdir()) == [moved.name]


@pytest.mark.parametrize(
    "change",
    [
        {"id": "2"}, {"what": "shout"}, {"role": "king"}, {"at": "NaN"}, {"at": 1e12}, {"at": None}, {"at": float("nan")},
        {"what": "mark", "mark": "bored"}, {"place": 3}, {"evidence": 3}, {"evidence": [{**FILE, "file": "../../secret"}]},
        {"evidence": [{**FILE, "file": "evidence/.."}]}, {"evidence": [{"kind": "link", "url": "javascript:alert(1)"}]},
        {"evidence": [{"kind": "fax"}]}, {"role": ["owner"]},
    ],
)  # fmt: skip
def test_what_is_no_message_is_none(folder: DayFolder, change: dict[str, Any]) -> None:
    path = folder.inbox / "1.json"
    path.write_text(json.dumps(GOOD))
    assert found(folder) != [None]
    path.write_text(json.dumps({**GOOD, **change}))
    assert found(folder) == [None]


JSON = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOOD, "place"]), inner, max_size=4),
    max_leaves=8,
)


@given(data=st.one_of(st.binary(max_size=60), JSON))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_rubbish_never_raises(folder: DayFolder, data: Any) -> None:
    (folder.inbox / "1.json").write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    assert len(found(folder)) == 1
