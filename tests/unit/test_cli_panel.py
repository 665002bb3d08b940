"""The live display: where a run is, laid out for any width, without an escape where there is to be no colour."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.cli.panel import panel
from gameday.cli.picture import Picture
from gameday.cli.views import Snapshot
from gameday.cli.words import describe
from gameday.model import Event
from gameday.schema.experiment import Experiment


def experiment(**changes: Any) -> Experiment:
    document: dict[str, Any] = {
        "version": 1,
        "title": "Checkout survives a payments outage",
        "load": {
            "target": "http://127.0.0.1:1",
            "rate": "100/s",
            "requests": [{"name": "browse", "get": "/"}, {"name": "checkout", "get": "/c"}],
        },
        "objectives": {
            "available": {"expect": "errors < 1%", "during": "errors < 50%", "where": {"endpoint": "checkout"}},
            "fast": {"expect": "p95 < 300ms"},
        },
        "phases": {"warmup": "3s", "baseline": "10s", "recovery": "20s"},
        "faults": [
            {"name": "down", "do": "command", "with": {"run": ["true"]}, "at": "0s", "for": "15s"},
            {
                "name": "killed",
                "do": "command",
                "with": {"run": ["true"]},
                "at": "5s",
                "observe": "5s",
                "irreversible": "allow",
            },
        ],
    }
    return Experiment.model_validate({**document, **changes})


def event(kind: str, at_ms: int = 0, **data: Any) -> Event:
    return Event(seq=0, kind=kind, at_ms=at_ms, wall=1.0, data=data)


def rows(slot: int, endpoint: str, kind: str, count: int, slower: int = 0) -> dict[str, Any]:
    return {"t": "agg", "rows": [[slot, endpoint, kind, count, {"300000": slower} if slower else {}]], "hist": []}


@pytest.fixture
def picture() -> Picture:
    made = Picture(experiment())
    made.note(event("opened", epoch_ns=5))
    return made


def phase(picture: Picture, name: str, at_ms: int) -> None:
    picture.note(event("phase", at_ms, name=name))


def test_the_clock_is_the_run_s(picture: Picture) -> None:
    assert picture.epoch_ns == 5


def test_each_phase_knows_what_is_left_of_it_and_of_the_run(picture: Picture) -> None:
    phase(picture, "warmup", 1000)
    phase(picture, "baseline", 4000)
    now = picture.snapshot(6500).phase
    assert (now.name, now.left_ms, now.after_ms) == ("baseline", 7500, 35_000)
    phase(picture, "gate", 14_000)
    assert picture.snapshot(14_100).phase.left_ms is None
    phase(picture, "recovery", 30_000)
    assert picture.snapshot(99_000).phase.left_ms == 0, "what lasts longer than planned has nothing left"


def test_a_check_ends_with_its_baseline() -> None:
    made = Picture(experiment(), check_only=True)
    phase(made, "warmup", 0)
    assert made.snapshot(0).phase.after_ms == 10_000
    assert made.snapshot(0).faults == ()


def test_faults_wait_are_on_and_go(picture: Picture) -> None:
    phase(picture, "fault", 20_000)
    assert [(f.state, f.left_ms) for f in picture.snapshot(21_000).faults] == [("waiting", 0.0), ("waiting", 4000)]
    picture.note(event("inject-called", 20_000, fault="down"))
    picture.note(event("injected", 20_010, fault="down"))
    assert not picture.snapshot(21_000).faults[0].proven
    picture.note(event("active", 20_020, fault="down", active=True, when="proof"))
    down = picture.snapshot(22_000).faults[0]
    assert (down.state, down.proven, down.left_ms) == ("on", True, 13_000)
    picture.note(event("injected", 25_000, fault="killed"))
    picture.note(event("deed", 25_010, fault="killed"))
    assert picture.snapshot(27_000).faults[1].left_ms == 3000
    for kind, state in (("revert-called", "reverting"), ("still-active", "left"), ("reverted", "gone")):
        picture.note(event(kind, 35_000, fault="down"))
        assert picture.snapshot(35_000).faults[0].state == state
    picture.note(event("reverted", 1, fault="a stranger's"))


def test_the_rate_is_counted_on_the_pulses(picture: Picture) -> None:
    for at in range(0, 5000, 100):
        picture.measure({"t": "pulse", "at_ms": at, "sent": at // 10, "in_flight": 3})
    load = picture.snapshot(5000).load
    assert load is not None
    assert (round(load.sent or 0), load.wanted, load.in_flight) == (100, 100.0, 3)


def test_an_objective_is_seen_as_the_judge_counts_it(picture: Picture) -> None:
    phase(picture, "baseline", 0)
    picture.measure(rows(100, "checkout", "ok", 90, slower=10))
    picture.measure(rows(100, "checkout", "timeout", 10))
    picture.measure(rows(100, "browse", "ok", 100))
    available, fast = picture.snapshot(11_000).objectives
    assert (available.tally.n, available.tally.k, available.keeps) == (100, 10, False)
    assert (fast.tally.n, fast.tally.k, fast.keeps) == (200, 20, False), "failed is slow, too"
    phase(picture, "fault", 11_000)
    assert picture.snapshot(11_000).objectives[0].keeps, "while the fault is on, half may fail"
    picture.measure(rows(160, "checkout", "ok", 5))
    assert picture.snapshot(16_000).objectives[0].tally.n == 5, "older than five seconds is not now"


def test_a_gauge_shows_its_last_reading() -> None:
    made = Picture(
        experiment(
            load=None, slis={"queue": {"command": ["true"]}}, objectives={"backlog": {"expect": "max(queue) < 100"}}
        )
    )
    assert made.snapshot(0).objectives[0].keeps is None
    made.measure({"t": "gauge", "sli": "queue", "value": 250.0})
    view = made.snapshot(0).objectives[0]
    assert (view.value, view.keeps) == (250.0, False)
    assert made.snapshot(0).load is None
    made.measure({"t": "gauge", "sli": "queue", "error": "unreachable"})
    assert made.snapshot(0).objectives[0].keeps is None


def busy() -> Snapshot:
    made = Picture(
        experiment(title="A title that is longer than any narrow terminal could ever show in one line of it")
    )
    phase(made, "fault", 0)
    for kind in ("injected", "active"):
        made.note(event(kind, 0, fault="down", active=True))
    made.measure(rows(100, "checkout", "ok", 100, slower=30))
    made.measure({"t": "tick", "started": 100, "in_flight": 4, "cpu": 0.2})
    return made.snapshot(4000)


@given(width=st.integers(1, 250), height=st.integers(-3, 40), colour=st.booleans(), unicode=st.booleans())
def test_it_fits_any_terminal(width: int, height: int, *, colour: bool, unicode: bool) -> None:
    lines = panel(
        busy(), width=width, rows=height, colour=colour, unicode=unicode, label="2 of 5", hint="Ctrl-C stops it; again"
    )
    assert len(lines) <= max(height, 1)
    assert all(line.cells <= max(width - 1, 7) for line in lines)
    assert all(colour or "\x1b" not in line.text for line in lines)
    assert all(unicode or line.text.isascii() for line in lines)


def test_wide_says_everything() -> None:
    text = "\n".join(
        line.text for line in panel(busy(), width=120, rows=40, colour=False, unicode=True, label="2 of 5")
    )
    for part in (
        "2 of 5",
        "fault phase, 11s left",
        "of 15s",
        "ends in about 31s",
        "load 100/s of 100/s",
        "4 in flight",
    ):
        assert part in text
    assert "✓ available" in text
    assert "✗ fast       30% too slow, 5% allowed" in text
    assert "● down: ON, proven, 11s left" in text
    assert "○ killed: waits, in 1s" in text


def test_narrow_says_what_matters() -> None:
    lines = panel(busy(), width=40, rows=24, colour=False, unicode=True, hint="Ctrl-C stops it; a second one does more")
    assert [line.text for line in lines] == [
        "fault phase, 11s left",
        "100/s, 0.0% failed, 4 in flight",
        "✓ available: 0.0% of 50%",
        "✗ fast: 30% of 5%",
        "● down: ON, proven, 11s left",
        "○ killed: waits, in 1s",
        "Ctrl-C stops it",
    ]


def test_colour_says_nothing_that_words_do_not() -> None:
    plain = panel(busy(), width=100, rows=40, colour=False, unicode=True)
    drawn = panel(busy(), width=100, rows=40, colour=True, unicode=True)
    assert [line.cells for line in plain] == [line.cells for line in drawn]
    assert any("\x1b[" in line.text for line in drawn)


def test_a_record_is_one_line_and_holds_no_escape() -> None:
    said = describe(event("process-not-ready", error="shop ended: \x1b[31mboom\nnext line", name="shop"))
    assert said == "NOT READY: shop ended: ?[31mboom next line"
    assert describe(event("opened", pid=1)) == ""
    assert describe(event("a kind of tomorrow")) == ""
    assert "(fault?)" in describe(event("met", count=3)), "a record that lacks something still says what it has"


def test_an_objective_that_is_broken_however_the_rest_goes_says_so_and_stays_so(picture: Picture) -> None:
    picture.note(event("phase", at_ms=13_000, name="fault"))
    picture.note(event("inject-called", at_ms=13_000, fault="down"))
    assert picture.measure(rows(130, "browse", "http_5xx", 20)) == []
    said = picture.measure(rows(131, "browse", "http_5xx", 300))
    assert said == ["fast is broken, however the rest goes: 320 bad requests of at most 1,650 (p95 < 300ms)"]
    picture.measure(rows(190, "browse", "ok", 50))
    views = {view.name: view for view in picture.snapshot(19_000).objectives}
    assert views["fast"].broken
    assert views["fast"].keeps, "the last seconds are good"
    assert not views["available"].broken
    wide, narrow = (lines_of(picture.snapshot(19_000), width) for width in (120, 50))
    assert any("fast" in line and line.startswith("✗") and "broken, however the rest goes" in line for line in wide)
    assert any("fast" in line and line.endswith("broken") for line in narrow)


def lines_of(snapshot: Snapshot, width: int) -> list[str]:
    return [line.text.rstrip() for line in panel(snapshot, width=width, rows=40, colour=False, unicode=True)]
