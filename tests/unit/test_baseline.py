"""The committed baseline: what a run writes, what a later one is held against, and what is wrong with a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.judge import judge, verdict_schema
from gameday.judge.binomial import lower_tail, upper_bound
from gameday.judge.ratchet import MARGIN, write
from gameday.schema.errors import ExperimentErrors
from gameday.schema.loader import Loaded, load_experiment
from gameday.schema.power import never_provable
from gameday.spi.errors import GamedayError
from tests.fakes.stories import BASELINE, GATE, PROVEN, REVERTED, Story, between, experiment, rows

SCHEMA: Any = jsonschema.Draft202012Validator(verdict_schema())
OBJECTIVE = {"expect": "errors < 5%", "during": "errors < 20%", "recover": {"within": "15s", "hold": "10s"}}


def document(bad: int = 0, **objectives: Any) -> dict[str, Any]:
    """A judged run of which so many of 2,000 requests failed while the fault was on."""
    return judge(story(bad, objectives or {"available": OBJECTIVE}).run())


def story(bad: int, objectives: dict[str, Any], baseline: dict[str, Any] | None = None) -> Story:
    file = experiment(objectives=objectives, **({"baseline": baseline} if baseline else {}))
    return Story(file=file, rows=rows(between(PROVEN, PROVEN + 100 * bad, 1)))


def folder(path: Path, text: str, **changes: Any) -> Path:
    """An experiment file beside its baseline."""
    file: dict[str, Any] = {**experiment(objectives={"available": OBJECTIVE}), "baseline": "base.yaml", **changes}
    file["faults"] = [{"down": {"do": "proxy.down", "with": {"proxy": "payments"}, "at": "0s", "for": "40s"}}]
    file["proxies"] = {"payments": {"listen": "127.0.0.1:9102", "upstream": "127.0.0.1:9002"}}
    (path / "base.yaml").write_text(text)
    (path / "mine.yaml").write_text(
        json.dumps({key: value for key, value in file.items() if value is not None}, indent=1)
    )
    return path / "mine.yaml"


def load(path: Path) -> Loaded:
    return load_experiment(path, environ={})


def held(tmp_path: Path, text: str, bad: int) -> dict[str, Any]:
    """Judge a run of an experiment that names this baseline."""
    kept = load(folder(tmp_path, text)).experiment.to_json()["baseline"]
    found = judge(story(bad, {"available": OBJECTIVE}, kept).run())
    SCHEMA.validate(found)
    return found


def test_the_file_is_small_sorted_and_says_where_its_numbers_are_from() -> None:
    text = write(document(bad=10, b={"expect": "p95 < 300ms"}, a=OBJECTIVE, c={"expect": "throughput > 90%"}))
    lines = text.splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "schema: gameday/baseline/1",
        'experiment: "Checkout survives a payments outage"',
        'run: "20261123T101500Z-payments-1a2b"',
        "margin: 1.5",
        "objectives:",
        '  "a":',
        '    "errors < 20%":',
        "      fault: {budget: 1.27%, k: 10, n: 2000}",
        '    "errors < 5%":',
        "      baseline: {budget: 0.449%, k: 0, n: 1000}",
        '  "b":',
        '    "p95 < 300ms":',
        "      baseline: {budget: 0.449%, k: 0, n: 1000}",
        "      fault: {budget: 1.27%, k: 10, n: 2000}",
    ]


def test_a_run_like_it_is_no_worse_and_one_that_is_worse_fails(tmp_path: Path) -> None:
    text = write(document(bad=2))
    same, near, worse = (held(tmp_path, text, bad) for bad in (2, 10, 40))
    assert same["verdict"] == "pass"
    assert same["objectives"][0]["criteria"][0]["baseline"] == {
        "baseline": {"budget": 0.00449, "result": "pass", "reason": "proven"},
        "fault": {"budget": 0.00472, "result": "pass", "reason": "proven"},
    }
    assert (near["verdict"], near["reasons"]) == ("inconclusive", ["near-limit"])
    assert (worse["verdict"], worse["objectives_broken"]) == ("fail", ["available"])
    told = worse["objectives"][0]["criteria"][0]
    assert told["phases"]["fault"]["result"] == "pass", "its own budget is kept"
    assert (told["baseline"]["fault"]["result"], told["baseline"]["fault"]["reason"]) == ("fail", "broken")
    finding = next(one for one in worse["findings"] if one["rule"] == "worse")
    assert "2% of requests (40 of 2,000) were bad while the fault was on; the baseline allows 0.472%" in finding["saw"]
    assert worse["summary"] == finding["saw"]


def test_without_a_baseline_nothing_is_compared() -> None:
    assert [row["baseline"] for row in document()["objectives"][0]["criteria"]] == [None]


def test_the_onset_can_make_it_worse_and_never_better(tmp_path: Path) -> None:
    kept = load(folder(tmp_path, write(document(bad=2)))).experiment.to_json()["baseline"]
    told = rows(between(PROVEN - 500, PROVEN + 500, 5))
    found = judge(Story(file=experiment(objectives={"available": OBJECTIVE}, baseline=kept), rows=told).run())
    assert found["objectives"][0]["criteria"][0]["baseline"]["fault"]["result"] == "fail"


def test_what_was_not_measured_is_not_compared(tmp_path: Path) -> None:
    kept = load(folder(tmp_path, write(document()))).experiment.to_json()["baseline"]
    starved = story(0, {"available": OBJECTIVE}, kept)
    starved.ticks = ()
    found = judge(starved.run())
    assert found["verdict"] == "inconclusive"
    assert found["objectives"][0]["criteria"][0]["baseline"]["fault"]["reason"] == "load-generator"


@pytest.mark.parametrize(
    ("bent", "says"),
    [
        (story(900, {"available": OBJECTIVE}), "it broke available"),
        (story(0, {"available": OBJECTIVE}).without("active"), "inconclusive (no-data, fault-unproven)"),
        (story(0, {"available": OBJECTIVE}).add(30_000, "abort", reason="guard", detail="d"), "aborted (guard)"),
        (story(0, {"some": {"expect": "throughput > 90%"}}), "nothing to keep"),
    ],
    ids=["broken", "unproven", "aborted", "no share"],
)
def test_a_run_that_is_no_good_one_is_no_baseline(bent: Story, says: str) -> None:
    with pytest.raises(GamedayError) as caught:
        write(judge(bent.run()))
    assert says in str(caught.value)


def test_a_run_that_is_only_worse_than_its_baseline_can_be_the_next_one(tmp_path: Path) -> None:
    worse = held(tmp_path, write(document(bad=2)), 40)
    assert worse["verdict"] == "fail"
    assert "fault: {budget: 3.9%, k: 40, n: 2000}" in write(worse)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 50_000), share=st.floats(0, 0.3))
def test_the_bound_is_the_largest_share_that_the_counts_leave_possible(n: int, share: float) -> None:
    k = int(n * share)
    most = upper_bound(k, n)
    assert lower_tail(k, n, most) <= 0.05
    assert lower_tail(k, n, most * 0.999) > 0.05
    assert MARGIN * most > k / n


def errors(path: Path) -> list[str]:
    with pytest.raises(ExperimentErrors) as caught:
        load(path)
    return [f"{Path(one.path).name}:{one.line} {one.message}" for one in caught.value.errors]


GOOD = write(document(bad=2))


@pytest.mark.parametrize(
    ("text", "changes", "says"),
    [
        (GOOD, {"title": "Another"}, "base.yaml:4 this baseline is of another experiment: 'Checkout survives a payments"),
        (GOOD, {"baseline": "bse.yaml"}, "no such baseline: "),
        (GOOD, {"baseline": "../base.yaml"}, "a baseline outside the experiment's folder"),
        (GOOD, {"baseline": {"schema": "x"}}, "baseline names a file"),
        (GOOD, {"matrix": {"x": ["a", "b"]}}, "a matrix is several experiments, and a baseline is of one"),
        (GOOD.replace("available", "avaliable"), {}, "base.yaml:8 the experiment has no objective 'avaliable'"),
        (GOOD.replace("available", "avaliable"), {}, "the baseline says nothing of objective 'available'"),
        (GOOD.replace("errors < 20%", "errors < 21%"), {}, "base.yaml:9 the experiment has no criterion 'errors < 21%' of 'available'"),
        (GOOD.replace("errors < 20%", "errors < 21%"), {}, "the baseline says nothing of 'errors < 20%' in the fault phase"),
        (GOOD.replace("0.472%", "0.472"), {}, "base.yaml:10 "),
        (GOOD.replace("baseline/1", "baseline/9"), {}, "base.yaml:3 "),
        ("- a list\n", {}, "base.yaml:1 a file for baseline is a mapping"),
        ("a: [\n", {}, "base.yaml:"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_baseline_is_said_at_its_place(
    tmp_path: Path, text: str, changes: dict[str, Any], says: str
) -> None:
    assert any(says in one for one in errors(folder(tmp_path, text, **changes)))


def test_a_budget_that_could_never_be_proven_is_refused_in_plan(tmp_path: Path) -> None:
    text = GOOD.replace("budget: 0.472%", "budget: 0.1%").replace("budget: 0.449%", "budget: 0.2%")
    loaded = load(folder(tmp_path, text))
    assert [(one.criterion, one.phase, one.expected, one.needed) for one in never_provable(loaded.experiment)] == [
        ("errors < 5% (baseline: 0.2%)", "baseline", 1_000, 1_497),
        ("errors < 20% (baseline: 0.1%)", "fault", 2_000, 2_995),
    ]
    assert any("never be proven: the baseline phase offers 1,000 requests" in one.message for one in loaded.warnings)


def test_the_file_is_kept_with_the_run_and_is_part_of_its_digest(tmp_path: Path) -> None:
    one = load(folder(tmp_path, GOOD))
    other = load(folder(tmp_path, GOOD.replace("margin: 1.5", "margin: 1.6")))
    assert one.fragments == {"base.yaml": GOOD.encode()}
    assert one.digest != other.digest


def test_the_example_of_the_documentation_is_what_is_written() -> None:
    page = (Path(__file__).parents[2] / "docs" / "experiment-file.md").read_text()
    example = "".join(line for line in GOOD.splitlines(keepends=True) if not line.startswith("#"))
    assert f"```yaml\n# ci/checkout.yaml\n{example}```" in page


def test_the_story_has_the_phases_that_the_numbers_speak_of() -> None:
    assert (GATE - BASELINE, REVERTED - PROVEN) == (20_000, 40_000)
