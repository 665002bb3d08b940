"""The journal: chained, one writer, and honest about every tear."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.journal.reader import GENESIS, parse_journal, parse_until, read_journal
from gameday.journal.writer import Journal, JournalError

KINDS = ["opened", "armed", "inject-called", "active", "reverted", "closed"]


def written(path: Path, kinds: list[str]) -> bytes:
    journal = Journal.create(path)
    for kind in kinds:
        journal.write(kind, {"fault": "f", "text": "zwölf\nlines"})
    journal.close()
    return path.read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return written(tmp_path_factory.mktemp("journal") / "journal.ndjson", KINDS)


def test_a_whole_journal_reads_back_and_is_closed(whole: bytes) -> None:
    text = parse_journal(whole)
    assert [event.kind for event in text.events] == KINDS
    assert text.closed
    assert not text.tail


def test_a_journal_cut_at_any_byte_is_a_prefix_and_never_closed(whole: bytes) -> None:
    for cut in range(len(whole)):
        text = parse_journal(whole[:cut])
        assert [event.kind for event in text.events] == KINDS[: len(text.events)]
        assert not text.closed, cut


def test_a_head_that_was_once_the_last_leads_back_to_the_journal_of_then(whole: bytes) -> None:
    ends = [at + 1 for at, byte in enumerate(whole) if byte == ord("\n")]
    for end in ends:
        then = parse_journal(whole[:end])
        assert parse_until(whole, then.head) == then
        assert parse_until(whole + b"torn", then.head) == then
    assert parse_until(whole, GENESIS) is None
    assert parse_until(whole[: ends[-2]], parse_journal(whole).head) is None


@given(st.data())
def test_a_changed_byte_breaks_the_chain_there(whole: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != whole[at]))
    damaged = whole[:at] + bytes([byte]) + whole[at + 1 :]
    last_line = whole.rfind(b"\n", 0, len(whole) - 1) + 1
    text = parse_journal(damaged)
    if at < last_line:
        assert not text.closed
        assert len(text.events) <= whole[:at].count(b"\n") + 1


def test_a_successor_seals_any_tear_and_continues_the_chain(whole: bytes, tmp_path: Path) -> None:
    for cut in range(1, len(whole), 7):
        path = tmp_path / f"{cut}.ndjson"
        path.write_bytes(whole[:cut])
        before = parse_journal(whole[:cut])
        journal = Journal.take_over(path, by="watchdog", why="test")
        journal.write("reverted", {"fault": "f"})
        journal.close()
        after = read_journal(path)
        assert not after.tail, cut
        assert after.events[: len(before.events)] == before.events
        kinds = [event.kind for event in after.events[len(before.events) :]]
        assert kinds == [*(["sealed"] if before.tail else []), "taken-over", "reverted"]
        assert path.read_bytes().startswith(whole[:cut])


def test_damage_in_the_middle_shows_at_the_next_link_and_is_sealed(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "journal.ndjson"
    path.write_bytes(whole.replace(b'"armed"', b'"armee"'))
    Journal.take_over(path, by="recover", why="test").close()
    assert [event.kind for event in read_journal(path).events] == ["opened", "armee", "sealed", "taken-over"]


def test_a_second_writer_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    path = tmp_path / "journal.ndjson"
    journal = Journal.create(path)
    with pytest.raises(JournalError, match="still alive"):
        Journal.take_over(path, by="recover", why="test", lock_seconds=0)
    journal.close()
    Journal.take_over(path, by="recover", why="test", lock_seconds=0).close()


def test_a_full_disk_breaks_the_journal_for_good(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", os.open("/dev/full", os.O_WRONLY), seq=0, prev="", epoch_ns=0)
    with pytest.raises(JournalError, match="No space left"):
        journal.write("armed")
    with pytest.raises(JournalError, match="No space left"):
        journal.write("armed")
    journal.close()


def test_a_record_cut_by_the_disk_is_torn_not_half_believed(tmp_path: Path) -> None:
    """The kernel writes what fits: the piece stays, and nothing is appended behind it."""
    program = """
import resource, sys
from pathlib import Path
from gameday.journal.writer import Journal, JournalError
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = Journal.create(Path(sys.argv[1]))
journal.write("opened")
size = Path(sys.argv[1]).stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, size + 20))
for _ in range(2):
    try:
        journal.write("armed", {"fault": "f"})
    except JournalError as error:
        print("refused", error)
"""
    path = tmp_path / "journal.ndjson"
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.count("refused") == 2
    text = read_journal(path)
    assert [event.kind for event in text.events] == ["opened"]
    assert len(text.tail) == 20
