"""init: files that are valid and likely to pass, and never a file that was there before."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gameday.cli import cli
from gameday.cli.dayloading import load_whole_day
from gameday.cli.init import NEXT, contents, init, write
from gameday.cli.loading import Given
from gameday.cli.outlook import outlook
from gameday.registry import load_driver
from gameday.schema.day.loader import load_day
from gameday.schema.jsonschema import json_schema
from gameday.schema.loader import load_experiment
from gameday.schema.yamlfile import parse
from gameday.spi.errors import GamedayError
from tests.fakes.gameday import Desk, Stage

FILES = {
    "experiments/first.yaml",
    "experiments/README.md",
    "experiments/experiment.schema.json",
    "experiments/gamedays/first.yaml",
    "experiments/gamedays/day.schema.json",
    ".github/workflows/resilience.yaml",
}


def call(folder: Path, *words: str) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return CliRunner().invoke(init, list(words))


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_it_writes_a_first_experiment_and_a_workflow(tmp_path: Path) -> None:
    done = call(tmp_path)
    assert done.exit_code == 0
    assert set(files(tmp_path)) == FILES
    assert done.stdout.split("\n") == [*(f"  {command}" for command in NEXT), ""]


def test_into_a_folder_of_its_own(tmp_path: Path) -> None:
    done = call(tmp_path, "a folder")
    assert set(files(tmp_path / "a folder")) == FILES
    assert done.stdout.startswith("  cd 'a folder'\n")


def test_what_else_is_in_a_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    assert call(tmp_path).exit_code == 0
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_that_is_there_stops_it_before_anything_is_written(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    done = call(tmp_path)
    assert isinstance(done.exception, GamedayError)
    assert name in str(done.exception)
    assert files(tmp_path) == {name: b"mine"}


def test_a_link_to_nowhere_counts_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments/first.yaml").symlink_to(tmp_path / "nowhere")
    assert isinstance(call(tmp_path).exception, GamedayError)
    assert files(tmp_path) == {}
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / ".github").write_text("a file where a folder must be")
    with pytest.raises(GamedayError, match="nothing was written"):
        write(tmp_path, contents())
    assert set(files(tmp_path)) == {".github"}
    done = call(tmp_path, ".github")
    assert done.exit_code == 2, "a file is no folder"


def test_the_first_experiment_is_valid_strict_and_likely_to_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMEDAY_STATE_DIR", str(tmp_path / "state"))
    call(tmp_path)
    loaded = load_experiment(tmp_path / "experiments/first.yaml", drivers=load_driver)
    assert (loaded.warnings, loaded.strict_errors()) == ((), ())
    assert loaded.experiment.abort
    found = outlook(loaded, None)
    assert found["refusals"] == []
    assert found["chance"] >= 0.95
    assert found["phases"][-1]["to_ms"] <= 35_000
    schema = json.loads((tmp_path / "experiments/experiment.schema.json").read_text())
    assert schema == json_schema("experiment")
    first = (tmp_path / "experiments/first.yaml").read_text()
    assert first.startswith("# yaml-language-server: $schema=experiment.schema.json\n")


def test_the_first_game_day_is_valid_and_passes_where_nobody_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMEDAY_STATE_DIR", str(tmp_path / "state"))
    call(tmp_path)
    folder = tmp_path / "experiments/gamedays"
    assert (folder / "first.yaml").read_text().startswith("# yaml-language-server: $schema=day.schema.json\n")
    assert json.loads((folder / "day.schema.json").read_text()) == json_schema("day")
    whole = load_whole_day(folder / "first.yaml", Given())
    assert (whole.errors, whole.needed) == ((), ())
    assert [one.experiment.title for each in whole.experiments.values() for one in each] == [
        load_experiment(tmp_path / "experiments/first.yaml").experiment.title
    ]
    assert whole.loaded is not None
    stage = Stage(tmp_path, "agenda: [brief: x]\n")
    stage.loaded = whole.loaded
    assert stage.begin(Desk(attended=False))["verdict"] == "pass"


def test_every_step_that_the_first_game_day_suggests_is_valid(tmp_path: Path) -> None:
    call(tmp_path)
    path = tmp_path / "experiments/gamedays/first.yaml"
    path.write_text(re.sub(r"^( *)# (?=roles|prereq|  - |- |  blind)", r"\1", path.read_text(), flags=re.MULTILINE))
    day = load_day(path).day
    assert [item.kind for item in day.agenda] == ["brief", "experiment", "manual", "go_no_go", "experiment", "debrief"]
    assert (len(day.prerequisites), day.people.people("responder"), day.agenda[4].blind) == (
        1,
        ("eve@example.com",),
        True,
    )


def test_it_shares_no_port_with_what_ships() -> None:
    root = Path(__file__).parents[2]
    used = [re.findall(r'ports: \{default: "(\d+)"\}', path.read_text()) for path in root.glob("experiments/**/*.yaml")]
    assert re.findall(r'ports: \{default: "(\d+)"\}', contents()["experiments/first.yaml"]) == ["190"]
    assert ["190"] not in used


def steps(text: str) -> list[str]:
    return re.findall(r"^        run: (.+)$", text, re.MULTILINE)


def test_the_workflow_always_recovers_and_always_uploads() -> None:
    text = contents()[".github/workflows/resilience.yaml"]
    assert steps(text) == [
        "pip install gameday-runner",
        "gameday validate experiments/",
        "gameday run experiments/",
        "gameday recover --all",
    ]
    for step in ("run: gameday recover --all", "uses: actions/upload-artifact@v4"):
        assert re.search(rf"if: always\(\)\n        {re.escape(step)}", text)
    assert parse("resilience.yaml", text.encode()).root is not None, "it is YAML"


def test_every_command_it_names_exists() -> None:
    text = "".join(contents().values())
    named = set(
        re.findall(r"gameday (validate|plan|run|recover|list|[a-z]+) ", "\n".join(NEXT) + "\n".join(steps(text)))
    )
    context = cli.make_context("gameday", ["--help"], resilient_parsing=True)
    assert all(cli.get_command(context, name) for name in named)


def test_a_read_only_folder(tmp_path: Path) -> None:
    if os.geteuid() == 0:  # root may write anywhere; the test of a file in the way covers it
        return
    tmp_path.chmod(0o500)
    assert isinstance(call(tmp_path).exception, GamedayError)
