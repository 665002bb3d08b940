"""gameday findings: what people say of one, which one they mean, and what is overdue."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from gameday.cli.findings import show
from gameday.cli.ledgering import complete_findings
from gameday.gamedays.ledger.address import find_ledger
from gameday.gamedays.ledger.store import Store
from tests.fakes.ledger import NOW, judged
from tests.fakes.ledger_verbs import call, listed, ok, said


def test_people_say_whose_it_is_and_by_when(fingerprint: str) -> None:
    short = fingerprint[:6]
    assert "owner team-x" in ok("findings", "assign", short, "team-x")
    ok("findings", "due", short, "2999-01-01")
    ok("findings", "ticket", short.upper(), "https://example.com/T-1")
    ok("findings", "note", short, "Waits for the queue.")
    ok("findings", "cause", short, "No time limit.")
    ok("findings", "action", short, "Set one.")
    shown = ok("findings", "show", short)
    for part in (
        "team-x",
        "2999-01-01",
        "https://example.com/T-1",
        "Waits for the queue.",
        "No time limit.",
        "1-first",
    ):
        assert part in shown
    ok("findings", "assign", short, "--clear")
    assert listed()[0]["owner"] is None
    assert [one["fingerprint"] for one in listed("--owner", "")] == [fingerprint]
    assert listed("--owner", "team-x") == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["due", "{}", "2026-31-01"], "write it as 2026-12-08"),
        (["due", "{}"], "give YYYY-MM-DD, or --clear"),
        (["assign", "{}", "x", "--clear"], "give OWNER, or --clear"),
        (["assign", "{}", " "], "owner is empty"),
        (["ticket", "{}", "x" * 501], "longer than 500"),
        (["assign", "zz", "x"], "no finding of the ledger begins with 'zz'"),
        (["show", ""], "no finding of the ledger begins with ''"),
        (["export", "--format", "gihtub"], "no form of findings is called 'gihtub' did you mean 'github'"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_noted(words: list[str], says: str, fingerprint: str) -> None:
    before = listed()
    done = call("findings", *(word.format(fingerprint) for word in words))
    assert done.exit_code != 0
    assert says in f"{done.stderr} {said(done)}".replace("; ", " ")
    after = listed()
    assert after == before


def test_digits_that_begin_several_are_too_few(runs: Path) -> None:
    judged(runs, "3-late", "late", at=NOW)
    judged(runs, "4-aborted", "aborted", at=NOW)
    for name in ("3-late", "4-aborted"):
        path = runs / name / "verdict.json"
        verdict = json.loads(path.read_text())
        for n, finding in enumerate(verdict["findings"]):
            finding["fingerprint"] = f"abc{name[0]}{n}" + "0" * 11
        path.write_text(json.dumps(verdict))
    ok("findings", "import", str(runs))
    done = call("findings", "show", "abc")
    assert "'abc' begins abc" in said(done)
    assert "give more of its digits" in said(done)
    assert "abc300" in ok("findings", "show", "abc30")


def test_overdue_fails_a_job_and_nothing_noted_is_no_green(fingerprint: str, tmp_path: Path) -> None:
    assert call("findings", "list", "--fail-overdue").exit_code == 0
    ok("findings", "due", fingerprint, "2020-01-02")
    late = call("findings", "list", "--fail-overdue")
    assert late.exit_code == 1
    assert "OVERDUE" in late.stdout
    assert f"overdue: {fingerprint}" in late.stderr
    assert call("findings", "list", "--owner", "nobody", "--fail-overdue").exit_code == 1, "what is hidden is late, too"
    ok("findings", "due", fingerprint, "2999-01-02")
    assert call("findings", "list", "--fail-overdue").exit_code == 0
    Store.open(find_ledger(str(tmp_path / "empty.db"))).close()
    assert call("findings", "list", "--fail-overdue", "--ledger", str(tmp_path / "empty.db")).exit_code == 3


def test_fingerprints_are_completed_and_no_ledger_is_no_error(runs: Path, fingerprint: str) -> None:
    context = click.Context(show)
    assert [one.value for one in complete_findings(context, show.params[0], fingerprint[:3])] == [fingerprint]
    context.params["ledger"] = str(runs / "none.db")
    assert complete_findings(context, show.params[0], "") == []
