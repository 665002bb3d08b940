"""gameday history: the trend of an experiment, and what runs spent of error budgets."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.fakes.ledger import DAY, NOW, TITLE, judged
from tests.fakes.ledger_verbs import call, ok, said


def test_history_tells_the_trend(runs: Path, tmp_path: Path) -> None:
    judged(runs, "0-pass", "pass", at=NOW - 4 * DAY, source="experiments/payments.yaml")
    judged(runs, "8-other", "pass", at=NOW, title="Another")
    ok("findings", "import", str(runs))
    text = ok("history", TITLE)
    assert "verdicts   pass fail fail" in text
    assert "4.0 days ago, 0-pass" in text
    assert ", 1-first" in text.partition("failing")[2].splitlines()[0]
    assert "Another" not in text
    assert re.search(r"^  \S+Z  fail +available: 4\d% of 2,000, back in 0 s, fail \(broken\)$", text, re.MULTILINE), (
        text
    )
    assert "available:" not in ok("history"), "several are told in short"
    file = tmp_path / "experiments" / "payments.yaml"
    file.parent.mkdir()
    file.write_text("title: x\n")
    assert ok("history", str(file)) == text
    assert ok("history", "payments outage") == text
    document = json.loads(ok("history", "--format", "json", "--last", "1"))
    assert [one["title"] for one in document["hypotheses"]] == ["Another", TITLE]
    mine = document["hypotheses"][1]
    assert (mine["last_pass"], mine["failing_since"], len(mine["runs"])) == ("0-pass", "1-first", 1)
    (objective,) = mine["runs"][0]["objectives"]
    assert objective["total"] > 0
    assert objective["verdict"] == "fail"


def test_history_of_what_the_ledger_does_not_know(fingerprint: str) -> None:
    assert "has no run of 'nothing such'" in said(call("history", "nothing such"))
    assert call("history", "--days", "3").exit_code == 2


def test_budgets_are_the_runs_own_counts(runs: Path) -> None:
    ok("findings", "import", str(runs))
    document = json.loads(ok("history", "--budget", "--days", "30", "--format", "json"))
    (account,) = document["accounts"]
    verdict = json.loads((runs / "1-first" / "verdict.json").read_text())["objectives"][0]
    assert account["bad"] == 2 * verdict["budget"]["bad"]
    assert account["total"] == 2 * verdict["budget"]["total"]
    assert account["bad_seconds"] == 2 * verdict["recovery"]["bad_seconds"]
    assert account["outage_ms"] == 2 * verdict["budget"]["outage_ms"]
    assert "2 runs" in ok("history", "--budget")
    assert json.loads(ok("history", "--budget", "--days", "1", "--format", "json"))["accounts"] == []
