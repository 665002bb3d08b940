"""gameday findings import: what is read of run folders, game days and findings files, and what is told of the rest."""

from __future__ import annotations

import json
from pathlib import Path

from gameday.gamedays.ledger.folders import read_folder
from tests.fakes.ledger import DAY, NOW, judged
from tests.fakes.ledger_verbs import call, listed, ok, said


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
