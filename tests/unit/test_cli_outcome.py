"""What is printed of finished runs, what they come to together, and what --accept near-limit lets go."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from gameday.cli.loading import Entry
from gameday.cli.outcome import exit_code, repeats, show, show_all, show_hints, show_repeats
from gameday.cli.running import Ran
from gameday.journal.folder import RunFolder
from gameday.judge import acceptable
from gameday.model import Verdict
from gameday.runner.ending import Judged


@dataclass
class FakeLoaded:
    path: Path = Path("mine.yaml")
    variant: dict[str, str] = field(default_factory=dict[str, str])


def row(k: int, n: int = 1000, reason: str = "near-limit", budget: float = 0.05) -> dict[str, Any]:
    return {"k": k, "n": n, "budget": budget, "result": "inconclusive", "reason": reason}


def document(
    verdict: str = "inconclusive", reasons: tuple[str, ...] = ("near-limit",), **phases: Any
) -> dict[str, Any]:
    criteria = [{"phases": phases or {"fault": row(40)}}]
    return {
        "title": "T",
        "verdict": verdict,
        "reasons": list(reasons),
        "summary": "S",
        "aborted_by": None,
        "objectives_broken": [],
        "objectives": [{"name": "o", "verdict": verdict, "reason": reasons[0], "criteria": criteria}],
        "journal_head": "abc",
        "residue": [],
    }


def ran(raw: dict[str, Any], path: str = "mine.yaml", **variant: str) -> Ran:
    judged = Judged(folder=RunFolder(Path("runs/x")), document=raw)
    loaded = cast("Any", FakeLoaded(Path(path), variant))
    return Ran(entry=Entry(run_id="x", seed=1, loaded=loaded), judged=judged)


def test_near_limit_alone_and_inside_its_budget_is_let_go() -> None:
    assert acceptable(document())
    assert acceptable(document(fault=row(50)))


@pytest.mark.parametrize(
    "raw",
    [
        document(fault=row(51)),
        document(fault=row(40), baseline=row(60)),
        document(reasons=("near-limit", "too-few")),
        document(reasons=("too-few",), fault=row(0, 10, "too-few")),
        document("fail", ("broken",)),
        document("aborted", ("guard",)),
        document("dirty", ("residue",)),
        document(fault=row(0, 0)),
        document(fault=row(50), onset=row(2, 10, "")),
        document(fault={"k": 0, "n": 9, "budget": 0.05, "result": "pass", "reason": "proven"}),
    ],
)
def test_nothing_else_is(raw: dict[str, Any]) -> None:
    assert not acceptable(raw)
    assert exit_code([ran(raw)], accept=True) == Verdict.from_word(raw["verdict"]).exit_code


def test_the_verdict_stays_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    one = ran(document())
    assert exit_code([one]) == 3
    assert exit_code([one], accept=True) == 0
    show(one.judged)
    assert "verdict: inconclusive (near-limit)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("pass", "pass"), 0),
        (("pass", "inconclusive"), 3),
        (("fail", "inconclusive"), 1),
        (("fail", "aborted"), 4),
        (("dirty", "aborted", "pass"), 5),
    ],
)
def test_the_most_serious_verdict_decides(words: tuple[str, ...], code: int) -> None:
    assert exit_code([ran(document(word, ("broken",))) for word in words]) == code


def test_nothing_run_is_no_pass() -> None:
    assert exit_code([]) == 3


def test_repeats_are_counted_for_each_file_and_combination(capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = document("pass", ("proven",)), document("fail", ("broken",))
    done = [ran(good), ran(good), ran(good), ran(good, "b.yaml", rate="1/s"), ran(bad, "b.yaml", rate="1/s")]
    found = list(repeats(done))
    assert [(one["source"], one["variant"], one["passed"], one["runs"]) for one in found] == [
        ("mine.yaml", {}, 3, 3),
        ("b.yaml", {"rate": "1/s"}, 1, 2),
    ]
    show_repeats(done)
    out = capsys.readouterr().out
    assert "mine.yaml: 3 of 3 passed: at least 36.8% of such runs pass, with 95% confidence\n" in out
    assert "b.yaml rate=1/s: 1 of 2 passed: at least 2.5% of such runs pass, with 95% confidence\n" in out
    assert {one["confidence"] for one in found} == {0.95}


def test_repeats_that_never_passed_show_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    show_repeats([ran(document("fail", ("broken",)))] * 3)
    assert capsys.readouterr().out == "mine.yaml: 0 of 3 passed: that such a run can pass is not shown\n"


def test_several_runs_end_with_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    done = [ran(document("pass", ("proven",)), "a.yaml", rate="1/s"), ran(document("dirty", ("residue",)), "b.yaml")]
    show_all(done, 3)
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "pass         a.yaml (rate=1/s)",
        "dirty        b.yaml",
        "1 of 3 passed; 1 not started",
    ]


def test_the_loudest_line_is_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    raw = document("dirty", ("residue",))
    raw["residue"] = [{"fault": "down", "targets": ["proxy \x1b[31mpayments"], "command": "gameday recover x"}]
    raw["summary"] = "it said \x1b]0;owned\x07"
    show(ran(raw).judged)
    out = capsys.readouterr().out
    assert out.startswith("DIRTY: down may still be on (proxy ?[31mpayments); finish the job with: gameday recover x\n")
    assert "\x1b" not in out
    assert "\x07" not in out


def test_what_would_help_has_its_own_lines_and_no_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    show_hints(["bind its user to this:\nrules:\n  - {verbs: [list]}\n", "\x1b[2Jagain", ""])
    assert capsys.readouterr().err == (
        "  = help: bind its user to this:\nrules:\n  - {verbs: [list]}\n  = help: ?[2Jagain\n  = help: \n"
    )
