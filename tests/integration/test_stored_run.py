"""A stored run: the same bytes however often it is judged, and no cut of its journal is ever a pass."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gameday.journal.folder import read_run
from gameday.judge import judge
from gameday.runner.ending import report_folder
from gameday.undo.recover import open_faults
from tests.harness import Lab, switch

pytestmark = pytest.mark.long
WRITTEN = ("verdict.json", "report.html", "report.md", "junit.xml", "metrics.txt")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A passing run of two overlapping faults, recorded once."""
    lab = Lab(tmp_path_factory.mktemp("stored"))
    faults = [
        {"one": {"do": "command", "with": switch(lab.folder, "one"), "for": "3s"}},
        {"two": {"do": "command", "with": switch(lab.folder, "two"), "at": "1s", "for": "1s"}},
    ]
    ran = lab.measured(lab.write(faults=faults))
    assert ran.code == 0, ran.err
    yield lab.run_folder


def test_judge_and_report_give_the_same_bytes_again(stored: Path, tmp_path: Path) -> None:
    first = {name: (stored / name).read_bytes() for name in WRITTEN}
    copy = tmp_path / stored.name
    shutil.copytree(stored, copy)
    for name in WRITTEN:
        (copy / name).unlink()
    report_folder(copy)
    assert {name: (copy / name).read_bytes() for name in WRITTEN} == first


def test_a_journal_cut_at_any_byte_is_never_pass_and_dirty_while_a_fault_is_open(stored: Path, tmp_path: Path) -> None:
    copy = tmp_path / stored.name
    shutil.copytree(stored, copy)
    journal = copy / "journal.ndjson"
    whole = journal.read_bytes()
    seen: set[str] = set()
    for cut in [
        *range(0, len(whole), 97),
        *(i for i in range(len(whole)) if whole[i : i + 1] == b"\n"),
        len(whole) - 1,
    ]:
        journal.write_bytes(whole[:cut])
        run = read_run(copy)
        verdict = judge(run)["verdict"]
        seen.add(verdict)
        assert verdict != "pass", cut
        assert (verdict == "dirty") == bool(open_faults(run.events)), cut
    assert seen == {"aborted", "dirty"}
    journal.write_bytes(whole)
    assert judge(read_run(copy))["verdict"] == "pass"


def test_samples_cut_anywhere_are_never_a_pass(stored: Path, tmp_path: Path) -> None:
    copy = tmp_path / stored.name
    shutil.copytree(stored, copy)
    samples = copy / "samples.ndjson"
    whole = samples.read_bytes()
    for cut in range(0, len(whole) - 1, 499):
        samples.write_bytes(whole[:cut])
        assert judge(read_run(copy))["verdict"] != "pass", cut
