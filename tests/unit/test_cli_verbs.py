"""list, doctor, completion and the group itself: help, streams, mistakes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from gameday.cli import VERBS, cli, machine
from gameday.cli.completing import complete_drivers, complete_experiments, complete_runs
from gameday.cli.doctor import doctor
from gameday.cli.files import experiment_files
from gameday.cli.listing import list_, title_of
from gameday.cli.machine import Finding
from tests.fakes.cli_files import run_folder, write

ROOT = Path(__file__).parents[2]


def call(command: click.Command, *words: str) -> Result:
    return CliRunner().invoke(command, list(words))


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMEDAY_STATE_DIR", str(tmp_path / "state"))


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "schema"])
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    done = call(cli, verb, "--help")
    assert done.exit_code == 0
    assert f"gameday {verb}" in done.stdout.partition("Usage:")[2].partition("\n")[2], "an example"


def test_a_misspelt_verb_has_a_suggestion() -> None:
    done = call(cli, "plna")
    assert done.exit_code == 2
    assert "did you mean 'plan'" in done.stderr


def test_list_names_drivers_probes_and_experiments() -> None:
    done = call(list_)
    assert done.exit_code == 0
    for part in ("proxy.latency", "probes", "payments-outage.yaml", "Checkout survives a payments outage"):
        assert part in done.stdout


def test_list_as_json_is_one_document() -> None:
    found = json.loads(call(list_, "--format", "json").stdout)
    assert {row["name"] for row in found["drivers"]} >= {"command", "process.kill", "proxy.down"}
    assert all(row["summary"] for row in (*found["drivers"], *found["probes"]))
    assert all(row["title"] for row in found["experiments"])


def test_list_of_a_name_that_is_a_driver_and_a_probe() -> None:
    done = call(list_, "command")
    assert "command, a driver" in done.stdout
    assert "command, a probe" in done.stdout
    found = json.loads(call(list_, "process.kill", "--format", "json").stdout)
    assert found["probe"] is None
    assert {parameter["name"] for parameter in found["driver"]["parameters"]} == {"process", "pidfile", "match"}


def test_list_of_a_misspelt_driver() -> None:
    done = call(list_, "proxy.dwon")
    assert "no driver is called 'proxy.dwon'" in str(done.exception)


def test_a_title_is_read_without_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b'\xff\nother: {title: no}\ntitle: "Quoted one"\n')
    assert title_of(path) == "Quoted one"
    assert title_of(tmp_path / "nowhere.yaml") == ""


def test_folders_are_searched_for_experiments_and_not_for_parts(tmp_path: Path) -> None:
    write(tmp_path / "b.yaml")
    write(tmp_path / "sub/a.yml")
    write(tmp_path / ".hidden/c.yaml")
    write(tmp_path / "fragments/d.yaml")
    write(tmp_path / "runs/earlier/experiment.yaml")
    (tmp_path / "runs/earlier/plan.json").write_text("{}")
    assert experiment_files([tmp_path]) == [tmp_path / "b.yaml", tmp_path / "sub/a.yml"]
    assert experiment_files([tmp_path / "fragments/d.yaml"]) == [tmp_path / "fragments/d.yaml"], (
        "what is named is meant"
    )
    (tmp_path / "empty").mkdir()
    with pytest.raises(click.UsageError, match="no experiment file"):
        experiment_files([tmp_path / "empty"])


def test_doctor_looks_at_everything_that_a_run_needs() -> None:
    done = call(doctor, "--format", "json")
    found = json.loads(done.stdout)
    names = {finding["name"] for finding in found["findings"]}
    assert names >= {
        "python",
        "pidfd",
        "watchdog",
        "state directory",
        "open files",
        "clock",
        "loopback",
        "locust",
        "drivers",
    }
    assert all(finding["fix"] for finding in found["findings"] if finding["state"] != "ok")
    assert done.exit_code == (0 if found["able"] else 2)
    assert found["able"], found


def test_doctor_names_what_is_lacking_and_what_would_fix_it(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = [
        Finding(name="pidfd", state="lacking", says="no \x1b[31m", fix="a newer kernel"),
        Finding(name="clock", state="weak", says="slow", fix="tsc"),
    ]
    monkeypatch.setattr(machine, "look", lambda: iter(findings))
    done = call(doctor)
    assert done.exit_code == 2
    assert "LACKING  pidfd" in done.stdout
    assert "= help: a newer kernel" in done.stdout
    assert "\x1b" not in done.stdout
    monkeypatch.setattr(machine, "look", lambda: iter(findings[1:]))
    assert call(doctor).exit_code == 0, "a run can do without"


def test_doctor_says_when_it_cannot_look(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GAMEDAY_STATE_DIR", str(tmp_path / "file"))
    monkeypatch.setattr(machine, "_locust", lambda: iter(()))
    states = {finding.name: finding.state for finding in machine.look()}
    assert states["state directory"] == "lacking"
    assert states["loopback"] == "ok", "and looks at the rest"


def test_doctor_says_when_locust_cannot_be_imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "locust.py").write_text("raise ImportError('no gevent here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    [finding] = [one for one in machine.look() if one.name == "locust"]
    assert finding.state == "lacking"
    assert "no gevent here" in finding.says
    assert "pip install" in finding.fix


def offered(values: Any) -> list[str]:
    return [item.value for item in values]


def test_completion_offers_files_runs_and_drivers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "experiments/first.yaml")
    write(tmp_path / "experiments/sub/other.yaml")
    (tmp_path / "experiments/notes.txt").touch()
    (tmp_path / ".secret").mkdir()
    run_folder(tmp_path / "runs", "20260101T000000Z-a-0001")
    (tmp_path / "runs/not-a-run").mkdir()
    context, parameter = click.Context(cli), click.Argument(["x"])
    assert offered(complete_experiments(context, parameter, "")) == ["experiments/", "runs/"]
    assert offered(complete_experiments(context, parameter, "experiments/")) == [
        "experiments/first.yaml",
        "experiments/sub/",
    ]
    assert offered(complete_runs(context, parameter, "")) == ["runs/20260101T000000Z-a-0001"]
    assert offered(complete_runs(context, parameter, "runs/2026")) == ["runs/20260101T000000Z-a-0001"]
    assert offered(complete_drivers(context, parameter, "proxy.d")) == ["proxy.down"]
    assert offered(complete_experiments(context, parameter, "nowhere/x")) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_ask_gameday_and_say_where_to_go(shell: str) -> None:
    done = call(cli, "completion", shell)
    assert done.exit_code == 0
    assert f"_GAMEDAY_COMPLETE={shell}_complete" in done.stdout
    assert "%(" not in done.stdout
    assert f"gameday completion {shell}" in done.stderr
    program = shutil.which(shell)
    if program is not None:  # a shell that is not there cannot be asked; bash always is
        subprocess.run([program, "-n"], input=done.stdout, text=True, check=True, timeout=20, capture_output=True)


def test_bash_completes(tmp_path: Path) -> None:
    """The script's function, called as bash calls it, with this checkout's program under the name gameday."""
    program = tmp_path / "bin" / "gameday"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from gameday.cli import main; main()" "$@"\n')
    program.chmod(0o755)
    write(tmp_path / "first.yaml")
    script = """
    eval "$(gameday completion bash 2>/dev/null)"
    COMP_WORDS=($1); COMP_CWORD=$2; COMPREPLY=()
    _gameday_completion gameday
    printf '%s\\n' "${COMPREPLY[@]}"
    """
    environ = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    for line, index, expected in (
        ("gameday pl", 1, "plan"),
        ("gameday plan fi", 2, "first.yaml"),
        ("gameday list proxy.d", 2, "proxy.down"),
    ):
        done = subprocess.run(
            ["bash", "-c", script, "bash", line, str(index)],
            cwd=tmp_path,
            env=environ,
            text=True,
            capture_output=True,
            timeout=30,
            check=True,
        )
        assert done.stdout.split() == [expected], done.stderr


def test_the_page_about_the_command_line_has_every_verb() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text()
    rows = "".join(line.partition(" | ")[0] for line in page.splitlines() if line.startswith("| `"))
    assert [verb for verb in VERBS if f"`{verb}" not in rows] == []
