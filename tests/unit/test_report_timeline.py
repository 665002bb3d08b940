"""The timeline of a report: every kind of the journal in words, nothing told over and over."""

from __future__ import annotations

import re

from gameday.model import Event
from gameday_reports.view import report_view
from tests.fakes.sample_run import sample_run, small_run


def test_every_kind_of_the_journal_is_told_in_words() -> None:
    with open("docs/run-folder.md", encoding="utf-8") as file:  # noqa: PTH123 - tests run in the checkout
        table = file.read().split("## journal.ndjson")[1].split("## samples.ndjson")[0]
    kinds = re.findall(
        r"`([a-z-]+)`", " ".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
    )
    assert len(kinds) > 25
    events = tuple(Event(seq=n, kind=kind, at_ms=n, wall=1.79e9, data={"fault": "f"}) for n, kind in enumerate(kinds))
    told = report_view(small_run(events=events)).timeline
    assert len(told) == len(kinds)
    assert not [entry.text for kind, entry in zip(kinds, told, strict=True) if entry.text.startswith(f"{kind}:")]


def test_repeated_measurements_are_told_once_and_a_long_journal_is_cut_in_the_middle() -> None:
    held = [entry.text for entry in report_view(sample_run("fail")).timeline if "measured as still on" in entry.text]
    assert held == ["payments-down measured as still on 59 times since it was proven; this is the last."]
    events = tuple(Event(seq=n, kind="note", at_ms=n, wall=1.79e9, data={"text": f"note {n}"}) for n in range(5_000))
    told = report_view(small_run(events=events)).timeline
    assert len(told) == 401
    assert told[0].text == "note 0"
    assert told[-1].text == "note 4999"
    assert "4,600 more entries" in told[200].text
