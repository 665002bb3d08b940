"""``gameday day …`` as people type it: what is refused before anything is touched, and what each verb prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gameday.cli import cli
from gameday.gamedays.day.folder import DayFolder
from gameday.spi.errors import GamedayError
from tests.fakes.gameday import HEAD, Desk, Laboratory, Stage
from tests.harness import Lab, Ran

DAY = HEAD + "agenda:\n  - experiment: experiment.yaml\n"


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


def refusal(result: Result) -> str:
    assert isinstance(result.exception, GamedayError)
    return f"{result.exception}; {result.exception.hint}"


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setenv("GAMEDAY_STATE_DIR", str(tmp_path / "state"))
    made = Lab(tmp_path)
    made.write()
    (tmp_path / "day.yaml").write_text(DAY)
    return made


def run(lab: Lab, *words: str) -> Ran:
    return lab.run_verb("day", "run", str(lab.folder / "day.yaml"), "--output", str(lab.runs), *words)


def test_validate_checks_a_day_with_its_experiments(lab: Lab) -> None:
    assert "valid (a game day)" in call("validate", lab.folder / "day.yaml").output
    assert {"day.yaml", "experiment.yaml"} <= {
        Path(one["path"]).name for one in json.loads(call("validate", lab.folder, "--format", "json").stdout)["files"]
    }
    lab.write(rate="x", faults=[])
    done = call("validate", lab.folder / "day.yaml")
    assert done.exit_code == 2
    assert "experiment.yaml:" in done.output


def test_variables_of_an_item_must_be_ones_that_its_experiment_has(lab: Lab) -> None:
    (lab.folder / "day.yaml").write_text(DAY + "    variables: {delay: 1s}\n")
    done = call("day", "plan", lab.folder / "day.yaml")
    assert (done.exit_code, "the experiment has no variable 'delay'" in done.output) == (2, True)
    assert "day.yaml:4:" in done.output


def test_plan_says_what_would_happen_and_starts_nothing(lab: Lab) -> None:
    done = call("day", "plan", lab.folder / "day.yaml")
    assert done.exit_code == 0, done.output
    assert "flip: command" in done.stdout
    document = json.loads(call("day", "plan", lab.folder / "day.yaml", "--format", "json").stdout)
    assert (document["agenda"][0]["runs"][0]["title"], document["refusals"]) == ("The target survives a switch", [])
    assert not lab.runs.exists()


@pytest.mark.parametrize("verb", ["run", "plan", "check"])
def test_other_verbs_say_how_a_day_is_run(verb: str, lab: Lab) -> None:
    done = call(verb, lab.folder / "day.yaml")
    assert (done.exit_code, "gameday day run" in done.output) == (2, True)


@pytest.mark.parametrize("verb", ["run", "plan"])
def test_an_experiment_is_no_day(verb: str, lab: Lab) -> None:
    done = call("day", verb, lab.folder / "experiment.yaml")
    assert (done.exit_code, "is no game day" in done.output, "Traceback" in done.output) == (2, True, False)


def test_a_day_in_another_environment_is_refused_and_touches_nothing(lab: Lab) -> None:
    (lab.folder / "day.yaml").write_text(DAY + "environment: staging\n")
    done = run(lab, "--unattended")
    assert (done.code, "no gameday.toml applies" in done.err) == (3, True), done.err
    (lab.folder / "gameday.toml").write_text('[environments.test]\nhosts = ["127.0.0.1", "localhost"]\n')
    done = run(lab, "--unattended", "--format", "json")
    assert (done.code, "and the day in staging" in done.err) == (3, True), done.err
    document = json.loads(done.out)
    assert (document["reasons"][0]["reason"], document["items"][0]["runs"]) == ("refused", [])
    assert call("day", "plan", lab.folder / "day.yaml").exit_code == 3
    assert not (lab.folder / "harmless").exists()


def stopped(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path, "roles: {owner: ana}\nagenda:\n  - manual: {step: Fail over}\n")
    stage.begin(Desk(["stop"]))
    return stage


def test_a_day_whose_file_was_changed_is_not_resumed(tmp_path: Path) -> None:
    stage = stopped(tmp_path)
    stage.loaded.path.write_text(stage.loaded.path.read_text() + "\n")
    assert "was changed since the day began" in refusal(call("day", "resume", stage.folder.path))
    stage.loaded.path.unlink()
    assert "is gone" in refusal(call("day", "resume", stage.folder.path))


@pytest.mark.parametrize("verb", ["resume", "report", "watch"])
def test_a_folder_that_is_no_day_is_refused(verb: str, tmp_path: Path) -> None:
    assert "is not the folder of a game day" in refusal(call("day", verb, tmp_path))


def test_what_is_said_while_nobody_leads_is_kept_for_the_resume(tmp_path: Path) -> None:
    stage = stopped(tmp_path)
    (tmp_path / "graph.png").write_bytes(b"picture")
    words = ("note", "look", "here", "--day", stage.folder.path, "--by", "ana", "--evidence", tmp_path / "graph.png")
    assert "kept" in call("day", *words).output
    assert "nothing is asked" in refusal(call("day", "answer", "done", "--day", stage.folder.path))
    stage.resume(Desk(["done"]))
    (note,) = stage.records("note")
    assert (note["text"], note["by"], note["role"]) == ("look here", "ana", "owner")
    assert (stage.folder.path / note["evidence"][0]["file"]).read_bytes() == b"picture"
    assert "is finished" in refusal(call("day", "note", "late", "--day", stage.folder.path))


def test_no_day_is_on_where_none_is_led(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert "no day under runs/ is being led" in refusal(call("day", "stop", "now"))


def test_a_day_is_reported_watched_and_verified_afterwards(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "agenda:\n  - experiment: experiment.yaml\n    blind: true\n  - debrief: hm\n")
    stage.begin(Desk(["", ""]), Laboratory(["fail"]))
    folder = stage.folder.path
    done = call("day", "report", folder)
    assert (done.exit_code, "verdict: fail (fail)" in done.stdout) == (1, True)
    watched = call("day", "watch", folder, "--role", "observer")
    assert (watched.exit_code, "something is on" in watched.stdout) == (1, True)
    document: dict[str, Any] = json.loads(call("day", "report", folder, "--format", "json").stdout)
    assert document["finished"] is True
    assert DayFolder(folder).verdict.read_bytes()
    verified = call("verify", folder)
    assert "intact   day.yaml" in verified.stdout


def test_a_day_that_was_lost_is_aborted_until_somebody_goes_on(tmp_path: Path) -> None:
    stage = stopped(tmp_path)
    lines = stage.folder.journal.read_bytes().splitlines(keepends=True)
    stage.folder.journal.write_bytes(b"".join(lines[:2]))
    done = call("day", "report", stage.folder.path)
    assert (done.exit_code, "leader-lost" in done.stdout, "gameday day resume" in done.stdout) == (4, True, True)
    assert call("day", "watch", stage.folder.path).exit_code == 4


def test_help_has_examples_for_every_verb() -> None:
    listed = call("day", "--help").stdout
    for verb in ("plan", "run", "resume", "note", "mark", "answer", "stop", "watch", "report"):
        assert f"  {verb} " in listed
        assert "Example" in call("day", verb, "--help").stdout
