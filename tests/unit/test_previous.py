"""The run before this one: which it is, whether the two can be compared, and what is kept of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gameday.journal.folder import read_run
from gameday.judge import judge, to_bytes
from gameday.model import GaugeSample
from gameday.runner.previous import previous_of, write_previous
from gameday.runner.priorseries import MOST_POINTS, series_of, time_zero
from gameday.spi.sameness import differences
from tests.fakes.folders import write_run
from tests.fakes.stories import ZERO, Story, between, experiment, rows

FIRST, SECOND, THIRD = (f"20261123T10{hour}500Z-payments-1a2b" for hour in (1, 2, 3))


def lay(folder: Path, name: str, story: Story | None = None, **plan: Any) -> Path:
    """Write a judged run."""
    return write_run(folder / name, replace((story or Story()).run(), name=name), **plan)


def test_the_newest_earlier_whole_run_of_the_same_experiment_is_kept(tmp_path: Path) -> None:
    lay(tmp_path, FIRST, Story(rows=rows(between(30_000, 60_000, 3))))
    lay(tmp_path, SECOND)
    write_previous(lay(tmp_path, THIRD))
    kept = read_run(tmp_path / THIRD).previous
    assert kept is not None
    assert (kept["run"], kept["comparable"], kept["why"]) == (SECOND, True, [])
    assert kept["verdict"] == json.loads((tmp_path / SECOND / "verdict.json").read_bytes())
    assert kept["series"]["checkout"][0][1:3] == [25, 0]
    assert [one["run"] for one in kept["earlier"]] == [SECOND, FIRST]
    assert kept["earlier"][1]["findings"] == [row["fingerprint"] for row in _verdict(tmp_path / FIRST)["findings"]]


def test_the_first_run_has_none_and_a_later_one_never_counts(tmp_path: Path) -> None:
    lay(tmp_path, THIRD)
    write_previous(lay(tmp_path, FIRST))
    assert not (tmp_path / FIRST / "previous.json").exists()
    assert read_run(tmp_path / FIRST).previous is None


@pytest.mark.parametrize("spoilt", ["lost", "no-fault", "title", "variant", "no-verdict", "no-plan", "damaged"])
def test_a_run_that_is_not_whole_or_not_of_this_experiment_is_passed_over(tmp_path: Path, spoilt: str) -> None:
    lay(tmp_path, FIRST)
    if spoilt == "lost":
        lay(tmp_path, SECOND, Story().until(60_000))
    elif spoilt == "no-fault":
        lay(tmp_path, SECOND, Story().without("phase", name="fault"))
    elif spoilt == "title":
        lay(tmp_path, SECOND, Story(file=experiment(title="Another")), source="another.yaml")
    elif spoilt == "variant":
        lay(tmp_path, SECOND, variant={"rate": "9/s"})
    else:
        lay(tmp_path, SECOND)
        name = {"no-verdict": "verdict.json", "no-plan": "plan.json", "damaged": "verdict.json"}[spoilt]
        (tmp_path / SECOND / name).write_text("[1" if spoilt == "damaged" else "{}")
    found = previous_of(lay(tmp_path, THIRD))
    assert found is not None
    assert found["run"] == FIRST


ODD: list[Any] = [None, 7, "x", [], {}, [None], [7], {"a": None}]


def test_whatever_lies_beside_a_run_never_keeps_it_from_its_report(tmp_path: Path) -> None:
    path = lay(tmp_path, THIRD)
    other = lay(tmp_path, SECOND)
    for name in ("plan.json", "verdict.json"):
        whole = (other / name).read_text()
        for key in json.loads(whole):
            for odd in ODD:
                (other / name).write_text(json.dumps(json.loads(whole) | {key: odd}))
                write_previous(path)
                assert read_run(path).verdict is not None
        (other / name).write_text(whole)


def test_no_verdict_depends_on_it(tmp_path: Path) -> None:
    lay(tmp_path, FIRST, Story(rows=rows(between(30_000, 60_000, 3))))
    path = lay(tmp_path, SECOND)
    before = to_bytes(judge(read_run(path)))
    write_previous(path)
    assert read_run(path).previous is not None
    assert to_bytes(judge(read_run(path))) == before


def test_what_cannot_be_written_is_left_out(tmp_path: Path) -> None:
    lay(tmp_path, FIRST)
    path = lay(tmp_path, SECOND)
    (path / "previous.json").mkdir()
    write_previous(path)
    write_previous(tmp_path / "nowhere")


def test_other_digests_are_comparable_while_what_is_measured_is_the_same() -> None:
    now = {"digest": "b", "experiment": experiment(owner="team-b")}
    assert differences({"digest": "a", "experiment": experiment()}, now) == []
    other = experiment(phases={"warmup": "0s", "baseline": "40s"}, objectives={"fast": {"expect": "p95 < 1s"}})
    why = differences({"digest": "a", "experiment": other}, now)
    assert [line.partition(".")[0] for line in why] == ["objectives", "phases"]
    assert "phases.baseline: 40s before, 20s now" in why[1]
    assert "phases.recovery: none before, 30s now" in why[1]
    assert 'objectives.fast: {"expect": "p95 < 1s"} before, none now' in why[0]


def test_series_count_from_time_zero_and_add_up_to_the_load() -> None:
    story = Story(rows=rows(between(30_000, 60_000, 3)), gauges=_gauges(90, 1_000))
    run = story.run()
    assert time_zero(run) == ZERO - 50
    step, series = series_of(run, ZERO - 50)
    assert step == 1
    assert sum(point[1] or 0 for point in series["checkout"]) == sum(row.count for row in run.load.rows)
    assert sum(point[2] or 0 for point in series["checkout"]) == sum(
        row.count for row in run.load.rows if row.kind != "ok"
    )
    assert series["queue"][:2] == [[-26, 0.0], [-25, None]]


def test_a_long_run_is_kept_in_wider_steps_without_losing_a_peak() -> None:
    story = Story(gauges=_gauges(3 * MOST_POINTS, 100))
    run = story.run()
    step, series = series_of(run, ZERO)
    assert step > 1
    assert sum(len(points) for points in series.values()) <= MOST_POINTS + 100
    read = [reading.value for reading in run.gauges if reading.value is not None]
    kept = [point[1] for point in series["queue"] if point[1] is not None]
    assert (min(kept), max(kept)) == (min(read), max(read))
    assert sum(point[1] or 0 for point in series["checkout"]) == sum(row.count for row in run.load.rows)


def _gauges(count: int, every: int) -> list[GaugeSample]:
    return [
        GaugeSample(
            sli="queue", at_ms=at * every, value=None if at == 1 else float(at % 97), error="x" if at == 1 else ""
        )
        for at in range(count)
    ]


def _verdict(path: Path) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads((path / "verdict.json").read_bytes())
    return raw
