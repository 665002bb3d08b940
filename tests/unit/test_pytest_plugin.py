"""The pytest plugin without a run: inert without its option, what it collects, what it refuses, what a failure says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from gameday.installed import entry_points
from gameday.judge import judge
from gameday.pytest_plugin.running import Asked, Finished
from gameday.pytest_plugin.telling import failure_text
from tests.fakes.stories import Story, between, rows
from tests.harness import ROOT, Lab

HEAVY = ("pydantic", "ruamel", "anyio", "locust", "click", "rich", "jinja2", "gameday.cli", "gameday.schema")


def call(folder: Path, *words: str, program: str = "-m pytest") -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder with this plugin and no other."""
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    environ["GAMEDAY_STATE_DIR"] = str(folder / "state")
    argv = [
        sys.executable,
        *program.split(" ", 1),
        "-p",
        "gameday.pytest_plugin",
        "-p",
        "no:cacheprovider",
        "-q",
        *words,
    ]
    return subprocess.run(argv, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository: a test, an experiment with a matrix, and YAML that is none of ours."""
    lab = Lab(tmp_path)
    file = lab.write(tags=["quick", "two words", "_x"], matrix={"size": [1, 2]}, hypothesis="size ${size}")
    (tmp_path / "experiments" / "fragments").mkdir(parents=True)
    file.rename(tmp_path / "experiments" / "switch.yaml")
    (tmp_path / "experiments" / "fragments" / "part.yaml").write_text("load: {}\nfaults: []\n")
    (tmp_path / "experiments" / "findings.yaml").write_text("title: x\nfaults: []\n")
    run = tmp_path / "runs" / "earlier"
    run.mkdir(parents=True)
    (run / "plan.json").write_text("{}")
    (run / "experiment.yaml").write_text((tmp_path / "experiments" / "switch.yaml").read_text())
    (tmp_path / "compose.yaml").write_text("version: '3'\nservices: {}\n")
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github" / "flow.yaml").write_text("title: x\nload: y\n")
    (tmp_path / "test_plain.py").write_text("def test_plain() -> None: pass\n")
    return tmp_path


def collected(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stdout.splitlines() if "::" in line]


def test_it_is_registered() -> None:
    assert ("gameday", "gameday.pytest_plugin") in [(point.name, point.value) for point in entry_points("pytest11")]


def test_without_its_option_nothing_is_collected_and_nothing_imported(folder: Path) -> None:
    program = (
        f"import pytest, sys; code = pytest.main(); print([m for m in {HEAVY} if m in sys.modules]); sys.exit(code)"
    )
    script = folder / "inert.py"
    script.write_text(program)
    done = call(folder, ".", program=str(script))
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
    assert "1 passed" in done.stdout
    assert not (folder / "state").exists()
    assert collected(call(folder, "--collect-only")) == ["test_plain.py::test_plain"]


def test_experiments_and_their_combinations_are_tests(folder: Path) -> None:
    done = call(folder, "--gameday", "--collect-only", "--strict-markers", ".")
    assert done.returncode == 0, done.stdout
    assert collected(done) == [
        "experiments/switch.yaml::switch[size-1]",
        "experiments/switch.yaml::switch[size-2]",
        "test_plain.py::test_plain",
    ]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["-k", "size-1 and survives"], ["switch[size-1]"]),
        (["-m", "quick or not gameday"], ["switch[size-1]", "switch[size-2]", "test_plain"]),
        (["--gameday-var", "size=2", "-m", "gameday"], ["switch[size-2]"]),
        (["experiments/switch.yaml::switch[size-2]"], ["switch[size-2]"]),
    ],
)
def test_they_are_chosen_as_tests_are(folder: Path, words: list[str], names: list[str]) -> None:
    done = call(folder, "--gameday", "--collect-only", *words)
    assert [line.rpartition("::")[2] for line in collected(done)] == names, done.stdout


def test_an_invalid_file_is_an_error_at_its_place_and_nothing_starts(folder: Path) -> None:
    file = folder / "experiments" / "bad.yaml"
    file.write_text("version: 1\ntitle: t\nfaults: []\nabrot: []\n")
    done = call(folder, "--gameday", ".")
    assert done.returncode == 2
    assert "experiments/bad.yaml:4:1: error[unknown-key] unknown key 'abrot'" in done.stdout
    assert "= help: did you mean 'abort'?" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert len(list((folder / "runs").iterdir())) == 1


def test_a_file_that_is_named_is_taken_for_one_whatever_it_holds(folder: Path) -> None:
    done = call(folder, "--gameday", "compose.yaml")
    assert done.returncode == 2
    assert "compose.yaml:" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--gameday-var", "sizes=3"], "no variable is called 'sizes'; did you mean 'size'?"),
        (["--gameday-var", "size"], "'size' is not NAME=VALUE"),
        (["--gameday-var-file", "none.yaml"], "cannot read none.yaml: No such file or directory"),
    ],
)
def test_wrong_variables_are_refused(folder: Path, words: list[str], said: str) -> None:
    done = call(folder, "--gameday", *words, ".")
    assert done.returncode == 4
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


class FakeLoaded:
    path = Path("mine.yaml")
    variant = {"size": "a b"}  # noqa: RUF012 - a stand-in


def told(document: dict[str, Any], code: int) -> str:
    finished = Finished(code=code, document=document, output=Path("out"))
    assert not finished.passed
    return failure_text(finished, cast("Any", FakeLoaded()))


def test_a_failure_names_verdict_reasons_line_report_and_how_to_repeat_it() -> None:
    document = dict(judge(Story(rows=rows(between(30_000, 50_000, 4))).run()))
    document["title"] = "::error::x\x1b[31m"
    lines = told(document, 1).splitlines()
    assert lines[0] == ": :error::x?[31m: fail (broken)"
    assert lines[1] == f"  {document['summary']}"
    assert "  fail         available: broken  (mine.yaml:31)" in lines
    assert lines[-2:] == [
        f"run folder: out/{document['run']}",
        f"again: gameday run mine.yaml --var 'size=a b' --seed {document['seed']}",
    ]


def test_what_may_still_be_on_comes_first() -> None:
    story = Story().without("reverted").add(66_600, "still-active", fault="payments-down", by="runner", error="e")
    document = dict(judge(story.run()))
    assert document["verdict"] == "dirty"
    assert told(document, 5).startswith("DIRTY: payments-down may still be on; finish the job with: gameday recover ")


def test_a_guard_is_named() -> None:
    document = dict(judge(Story().add(40_000, "abort", reason="guard", detail="errors lose 1s beyond 50%").run()))
    assert document["verdict"] == "aborted"
    assert "\n  guard: errors lose 1s beyond 50%\n" in told(document, 4)


def test_no_verdict_and_no_exit_code_of_zero_are_no_pass() -> None:
    assert not Finished(code=0, document=None, output=Path("out")).passed
    assert not Finished(code=70, document={"verdict": "pass", "run": "r"}, output=Path("out")).passed
    assert Finished(code=0, document={"verdict": "pass", "run": "r"}, output=Path("out")).passed
    lost = Finished(code=70, document=None, output=Path("out"))
    assert "ended with 70 and without a verdict" in failure_text(lost, cast("Any", FakeLoaded()))


def test_the_command_has_everything_that_was_asked() -> None:
    asked = Asked(
        path=Path("a.yaml"),
        variables={"x": "1"},
        variable_files=(Path("/v"),),
        output=Path("/o"),
        accept="near-limit",
        start=Path("/s"),
    )
    words = "run a.yaml --format json --output /o --var x=1 --var-file /v --accept near-limit"
    assert asked.words() == words.split()
