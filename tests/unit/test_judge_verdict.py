"""The verdict of whole runs: of several objectives and faults, in the same bytes each time."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.judge import judge, to_bytes
from gameday.model import LoadRow
from tests.fakes.judged import judged
from tests.fakes.stories import PROVEN, REVERTED, Story, between, experiment, fault_life, frame, good, rows


def test_a_whole_run_that_proves_everything_passes() -> None:
    document = judged(Story())
    assert (document["verdict"], document["reasons"], document["exit_code"]) == ("pass", ["proven"], 0)
    assert document["findings"] == []
    assert document["summary"].startswith("While payments-down was on, none of 2,000 requests failed; 5% allowed")


def test_one_pass_and_one_failure_is_a_failure() -> None:
    objectives = {"available": {"expect": "errors < 5%"}, "fast": {"expect": "p95 < 300ms", "during": "p95 < 1s"}}
    slow = [
        LoadRow(
            slot=r.slot,
            endpoint="checkout",
            kind="ok",
            count=r.count,
            slower={300_000: 2, 1_000_000: 2} if 400 <= r.slot < 600 else {},
        )
        for r in rows(good)
    ]
    document = judged(Story(file=experiment(objectives=objectives), rows=slow))
    assert {o["name"]: o["verdict"] for o in document["objectives"]} == {"available": "pass", "fast": "fail"}
    assert document["findings"][0]["title"] == (
        "payments-down: the system failed or was slower than 1s for 20% of requests (1 in 5.1), 5% allowed"
    )


def test_during_may_allow_what_steady_state_does_not() -> None:
    objectives = {
        "available": {"expect": "errors < 1%", "during": "errors < 30%", "recover": {"within": "15s", "hold": "10s"}}
    }
    story = Story(file=experiment(objectives=objectives), rows=rows(between(PROVEN, REVERTED, 1)))
    document = judged(story)
    assert document["verdict"] == "pass"
    assert document["objectives"][0]["budget"]["burn_rate"] == pytest.approx(400 / 2_025 / 0.01, abs=1e-4)
    assert "20% of requests (1 in 5) failed; 30% allowed" in document["summary"]


def test_two_overlapping_faults_are_both_judged() -> None:
    second: dict[str, Any] = {"name": "second", "do": "proxy.latency", "with": {}, "at": "5s", "for": "10s"}
    file = experiment(faults=[*experiment()["faults"], second])
    events = [*frame(), *fault_life(), *fault_life("second", 31_000, 31_200, 41_500)]
    assert judged(Story(file=file, events=events))["verdict"] == "pass"
    left = [told for told in events if not (told[1] == "reverted" and told[2]["fault"] == "second")]
    document = judged(Story(file=file, events=left))
    assert (document["verdict"], [row["fault"] for row in document["residue"]]) == ("dirty", ["second"])


def test_the_same_run_gives_the_same_bytes() -> None:
    assert to_bytes(judge(Story().run())) == to_bytes(judge(Story().run()))


def test_bytes_are_canonical_and_never_hold_what_json_cannot() -> None:
    assert to_bytes({"b": -0.0, "a": [0.1 + 0.2, "é\ud800"]}) == (
        b'{\n  "a": [\n    0.3,\n    "\\u00e9\\ud800"\n  ],\n  "b": 0.0\n}\n'
    )
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_bytes({"a": float("nan")})
