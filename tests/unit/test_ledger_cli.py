from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from markdown_it import MarkdownIt

from gameday.cli import cli
from gameday.cli.doctor_ledger import look_at_ledger
from gameday.cli.findings import show
from gameday.cli.ledgering import complete_findings
from gameday.gamedays.ledger.address import find_ledger
from gameday.gamedays.ledger.folders import read_folder
from gameday.gamedays.ledger.noting import note_run
from gameday.gamedays.ledger.store import Store
from gameday.registry import findings_form
from gameday.schema.remarks import read_remarks
from tests.fakes.ledger import TITLE, judged

NOW = time.time()
DAY = 86_400.0


def call(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def ok(*words: str) -> str:
    done = call(*words)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def said(result: Result) -> str:
    """What main() would print of an error of ours."""
    return f"{result.exception} {getattr(result.exception, 'hint', '')}"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GAMEDAY_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("GAMEDAY_LEDGER", raising=False)
    return tmp_path / "state"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    judged(folder, "1-first", "fail", at=NOW - 3 * DAY, source="experiments/payments.yaml")
    judged(folder, "2-second", "fail", at=NOW - 2 * DAY, source="experiments/payments.yaml")
    return folder


def listed(*words: str) -> list[dict[str, Any]]:
    document = json.loads(ok("findings", "list", "--format", "json", *words))
    assert document["schema"] == "gameday/findings/1"
    found: list[dict[str, Any]] = document["findings"]
    return found


@pytest.fixture
def fingerprint(runs: Path) -> str:
    """One open finding of a ledger with two runs, and people's words on it."""
    ok("findings", "import", str(runs))
    (found,) = listed()
    return str(found["fingerprint"])


def test_without_a_ledger_everything_says_how_to_make_one() -> None:
    for words in (["findings", "list"], ["findings", "list", "--fail-overdue"], ["history"], ["findings", "export"]):
        done = call(*words)
        assert done.exit_code != 0
        assert "there is no ledger at" in said(done)
        assert "gameday findings import runs/" in said(done)


def test_import_makes_the_ledger_and_twice_is_once(runs: Path, state: Path) -> None:
    assert "2 runs, 2 of them new" in ok("findings", "import", str(runs))
    assert "2 runs, 0 of them new" in ok("findings", "import", str(runs), str(runs / "1-first"))
    assert (state / "ledger.db").is_file()
    assert "1 open, 0 closed; 2 runs noted" in ok("findings", "list")


def test_what_cannot_be_read_is_told_and_the_rest_is_noted(runs: Path) -> None:
    (runs / "3-damaged").mkdir()
    (runs / "3-damaged" / "plan.json").write_text('{"schema": "gameday/plan/1", "experiment": {}}')
    (runs / "4-foreign").mkdir()
    done = call("findings", "import", str(runs))
    assert done.exit_code == 2
    assert "2 runs, 2 of them new" in done.stdout
    assert "3-damaged" in done.stderr
    assert "gameday judge" in done.stderr
    assert "4-foreign is not a run folder" in done.stderr


def test_a_check_is_no_run(runs: Path) -> None:
    judged(runs, "3-check", "pass", at=NOW)
    path = runs / "3-check" / "verdict.json"
    verdict = json.loads(path.read_text())
    for fault in verdict["faults"]:
        fault |= {"armed_ms": None, "reason": "proven"}
    path.write_text(json.dumps(verdict))
    assert "1 left out that tested nothing" in ok("findings", "import", str(runs))
    assert listed()[0]["state"] == "open", "it closed nothing"


def test_the_runs_of_a_game_day_are_found_in_its_folder_and_debited_to_it(runs: Path) -> None:
    day = runs / "day-20261123-brownout"
    judged(day / "runs", "9-of-a-day", "pass", at=NOW - DAY)
    (day / "day.yaml").write_text("version: 1\n")
    assert "1 run, 1 of them new" in ok("findings", "import", str(day))
    assert "3 runs, 2 of them new" in ok("findings", "import", str(runs), str(day))
    document = json.loads(ok("history", "--budget", "--format", "json"))
    assert list(document["accounts"][0]["game_days"]) == [day.name]


def test_a_folder_of_nothing_but_game_days(tmp_path: Path) -> None:
    for name in ("day-one", "day-two"):
        (tmp_path / "days" / name / "runs").mkdir(parents=True)
        (tmp_path / "days" / name / "day.yaml").write_text("version: 1\n")
    judged(tmp_path / "days" / "day-one" / "runs", "1-run", "pass", at=NOW)
    assert "1 run, 1 of them new" in ok("findings", "import", str(tmp_path / "days"))


def test_findings_yaml_is_imported_from_runs_and_by_name(runs: Path, fingerprint: str, tmp_path: Path) -> None:
    file = tmp_path / "findings.yaml"
    file.write_text(f'"{fingerprint}": {{owner: team-checkout, due: 2020-01-02, ticket: CHK-1}}\n')
    assert "3 new entries of findings files" in ok("findings", "import", str(file))
    assert "entries" not in ok("findings", "import", str(file))
    (runs / "2-second" / "findings.yaml").write_text(f'"{fingerprint}": {{cause: No time limit.}}\n')
    assert "2 runs, 1 of them new or judged anew" in ok("findings", "import", str(runs))
    (found,) = listed()
    assert (found["owner"], found["due"], found["overdue"]) == ("team-checkout", "2020-01-02", True)
    assert (found["ticket"], found["cause"]) == ("CHK-1", "No time limit.")
    file.write_text(f'"{fingerprint}": {{owner: x, deu: 2020-01-02}}\n')
    done = call("findings", "import", str(file))
    assert done.exit_code == 2
    assert "nothing of it was taken" in done.stderr


def test_only_a_later_pass_closes_and_a_regression_reopens(runs: Path, fingerprint: str) -> None:
    judged(runs, "4-unsure", "inconclusive", at=NOW - DAY / 2)
    ok("findings", "import", str(runs))
    assert next(one for one in listed() if one["fingerprint"] == fingerprint)["state"] == "open"
    judged(runs, "5-pass", "pass", at=NOW - DAY / 3)
    ok("findings", "import", str(runs))
    assert {one["state"] for one in listed()} == {"closed"}
    assert "closed by 5-pass" in ok("findings", "show", fingerprint[:5])
    judged(runs, "6-fail", "fail", at=NOW - DAY / 4)
    ok("findings", "import", str(runs))
    again = listed("--open")
    assert [(one["fingerprint"], one["state"], one["reopened"]) for one in again] == [(fingerprint, "reopened", 1)]


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


def test_markdown_has_a_table_and_each_open_finding(fingerprint: str) -> None:
    ok("findings", "assign", fingerprint, "<script>@team|x")
    text = ok("findings", "export")
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert "<script>" not in html
    assert "<h2>" in html
    assert html.count("<tr>") == 2
    assert "@team" not in text


def test_csv_has_a_row_each_and_no_formula(fingerprint: str) -> None:
    ok("findings", "note", fingerprint, "=1+1")
    (row,) = csv.DictReader(io.StringIO(ok("findings", "export", "--format", "csv")))
    assert row["fingerprint"] == fingerprint
    assert row["note"] == "'=1+1"
    assert row["runs"] == "2"


def test_github_takes_open_findings_without_a_ticket(runs: Path, fingerprint: str) -> None:
    (issue,) = json.loads(ok("findings", "export", "--format", "github"))
    assert set(issue) == {"title", "body", "labels"}
    assert issue["title"].startswith(TITLE)
    assert len(issue["title"]) <= 256
    assert f"<!-- gameday-finding: {fingerprint} -->" in issue["body"]
    assert issue["labels"] == ["gameday", "severity: high"]
    ok("findings", "ticket", fingerprint, "T-1")
    assert json.loads(ok("findings", "export", "--format", "github")) == []
    ok("findings", "ticket", fingerprint, "--clear")
    judged(runs, "3-pass", "pass", at=NOW)
    ok("findings", "import", str(runs))
    assert json.loads(ok("findings", "export", "--format", "github", "--all")) == []
    assert len(json.loads(ok("findings", "export", "--format", "json", "--all"))["findings"]) == 1
    assert json.loads(ok("findings", "export", "--format", "json"))["findings"] == []


def test_yaml_is_a_findings_file_of_what_people_said(fingerprint: str, tmp_path: Path) -> None:
    ok("findings", "assign", fingerprint, 'team "x": #1')
    ok("findings", "due", fingerprint, "2999-01-01")
    ok("findings", "kind", fingerprint, "prevent")
    text = ok("findings", "export", "--format", "yaml")
    found = read_remarks("findings.yaml", text.encode())
    assert found.errors == ()
    assert found.entries == {fingerprint: {"owner": 'team "x": #1', "due": "2999-01-01", "kind": "prevent"}}


def test_an_issue_is_never_too_long_and_keeps_its_mark() -> None:
    finding = {"fingerprint": "f" * 16, "state": "open", "title": "t" * 9_000}
    finding |= dict.fromkeys(("saw", "next", "action", "cause", "note", "owner", "ticket", "kind"), "<" * 2_000)
    finding["ticket"] = ""
    (issue,) = json.loads(findings_form("github").render({"findings": [finding, {}]} | {"at": 3}))[:1]
    assert len(issue["title"]) <= 256
    assert len(issue["body"]) <= 65_536
    assert issue["body"].endswith("<!-- gameday-finding: " + "f" * 16 + " -->")


def test_fingerprints_are_completed_and_no_ledger_is_no_error(runs: Path, fingerprint: str) -> None:
    context = click.Context(show)
    assert [one.value for one in complete_findings(context, show.params[0], fingerprint[:3])] == [fingerprint]
    context.params["ledger"] = str(runs / "none.db")
    assert complete_findings(context, show.params[0], "") == []


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


PATIENT = {"GAMEDAY_LEDGER_SECONDS": "50"}


@pytest.fixture
def blocked(tmp_path: Path) -> Iterator[Path]:
    """A ledger that another writer has and does not let go of."""
    file = tmp_path / "blocked.db"
    Store.open(find_ledger(str(file))).close()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield file
        other.execute("ROLLBACK")


def test_a_run_is_noted_where_a_ledger_is_configured_and_only_there(runs: Path, tmp_path: Path, state: Path) -> None:
    first = runs / "1-first"
    assert note_run(first, PATIENT) == ""
    assert not (state / "ledger.db").exists()
    named = {**PATIENT, "GAMEDAY_LEDGER": str(tmp_path / "named.db")}
    assert note_run(first, named) == "ledger: 1 open finding of this experiment (1 new)"
    judged(runs, "9-pass", "pass", at=NOW)
    assert note_run(runs / "9-pass", named) == "ledger: 0 open findings of this experiment (1 closed)"
    judged(runs, "9-then", "fail", at=NOW + 1)
    assert note_run(runs / "9-then", named) == "ledger: 1 open finding of this experiment (1 reopened)"
    ok("findings", "import", str(first))
    assert note_run(runs / "2-second", PATIENT) == "ledger: 1 open finding of this experiment"
    assert note_run(runs / "2-second", {**PATIENT, "GAMEDAY_LEDGER": "off"}) == ""


def test_a_finished_game_day_is_noted_with_all_its_runs(tmp_path: Path) -> None:
    day, named = tmp_path / "day-one", {**PATIENT, "GAMEDAY_LEDGER": str(tmp_path / "named.db")}
    for name in ("1-run", "2-run"):
        judged(day / "runs", name, "fail", at=NOW)
    (day / "day.yaml").write_text("version: 1\n")
    assert note_run(day, named) == "ledger: 2 runs noted"
    document = json.loads(ok("history", "--format", "json", "--ledger", named["GAMEDAY_LEDGER"]))
    assert {run["day"] for run in document["hypotheses"][0]["runs"]} == {"day-one"}
    (tmp_path / "day-two").mkdir()
    (tmp_path / "day-two" / "day.yaml").write_text("version: 1\n")
    assert note_run(tmp_path / "day-two", named) == "", "nothing was run"


def test_a_ledger_that_fails_is_told_in_one_line(runs: Path, tmp_path: Path, blocked: Path) -> None:
    (tmp_path / "text.db").write_text("no database " * 200)
    for name, why in (("text.db", "not a database"), ("blocked.db", "locked")):
        seconds = "50" if name == "text.db" else "0.3"
        line = note_run(runs / "1-first", {"GAMEDAY_LEDGER": str(tmp_path / name), "GAMEDAY_LEDGER_SECONDS": seconds})
        assert line.startswith("ledger: ")
        assert "gameday findings import" in line
        assert "\n" not in line
        assert why in line or "no answer within 0.3 s" in line
    nowhere = {**PATIENT, "GAMEDAY_LEDGER": "postgresql://me:s3cret@127.0.0.1:1/x"}
    line = note_run(runs / "1-first", nowhere)
    assert line.startswith("ledger: not noted: the ledger postgresql://127.0.0.1:1/x cannot be used")
    assert "s3cret" not in line


def test_a_ledger_that_never_answers_holds_nobody_up(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()

    def silent(*_: object) -> str:
        answer.wait(50)
        return "late"

    monkeypatch.setattr("gameday.gamedays.ledger.noting._noted", silent)
    given = {"GAMEDAY_LEDGER": str(tmp_path / "x.db"), "GAMEDAY_LEDGER_SECONDS": "0.2"}
    assert note_run(runs / "1-first", given) == (
        f"ledger: no answer within 0.2 s; note it later with: gameday findings import {runs / '1-first'}"
    )
    assert not answer.is_set(), "it was not waited for"
    answer.set()
    for thread in threading.enumerate():
        if thread.name == "ledger":
            thread.join(50)


def test_a_bug_of_the_ledger_never_reaches_the_run(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr("gameday.gamedays.ledger.noting._noted", broken)
    line = note_run(runs / "1-first", {**PATIENT, "GAMEDAY_LEDGER": str(tmp_path / "x.db")})
    assert line.startswith("ledger: not noted: ZeroDivisionError")


def test_what_is_read_of_a_damaged_verdict_is_bounded(runs: Path) -> None:
    path = runs / "1-first" / "verdict.json"
    verdict = json.loads(path.read_text())
    verdict |= {"title": "t" * 10_000 + "\x00", "reasons": [1, None], "load": 3, "ended_ms": "x"}
    verdict["objectives"] = [{"name": "n" * 999, "criteria": 3, "recovery": [], "budget": "none"}] * 500
    path.write_text(json.dumps(verdict))
    found = read_folder(runs / "1-first")
    assert found is not None
    assert len(found.facts.title) < 400
    assert len(found.facts.objectives) == 200
    assert len(found.facts.objectives[0].name) < 200
    ok("findings", "import", str(runs))


def looked(*, at: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    monkeypatch.setenv("GAMEDAY_LEDGER", at)
    return [(one.state, one.says) for one in look_at_ledger()]


def test_doctor_says_whether_runs_can_be_noted(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(look_at_ledger()) == [], "nobody asked for one"
    named = str(tmp_path / "named.db")
    ((state, says),) = looked(at=named, monkeypatch=monkeypatch)
    assert (state, says.endswith("the next run makes it")) == ("ok", True)
    assert not Path(named).exists()
    ok("findings", "import", str(runs))
    assert looked(at=named, monkeypatch=monkeypatch) == [("ok", f"runs are noted in {named}")]
    ((state, says),) = looked(at="postgresql://me:s3cret@127.0.0.1:1/x", monkeypatch=monkeypatch)
    assert state == "weak"
    assert "s3cret" not in says
