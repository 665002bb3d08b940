"""A schedule written for other engines, and what their own tools, schemas and models say of it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jsonschema import Draft7Validator
from kubernetes.client import ApiClient  # pyright: ignore[reportMissingTypeStubs]
from ruamel.yaml import YAML

from gameday.gamedays.schedule.export import github, kubernetes, systemd
from gameday.gamedays.schedule.export.exported import Exported, plain_cron
from gameday.gamedays.schedule.occurrences import upcoming
from gameday.schema.day.schedule import Schedule
from gameday.spi.errors import GamedayError

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CRONS = {
    "0 10 * * TUE": ("0 10 * * 2", ("Tue *-*-* 10:00:00 Europe/London",)),
    "*/15 9-11 * * mon-fri": ("0,15,30,45 9,10,11 * * 1,2,3,4,5", ("Mon,Tue,Wed,Thu,Fri *-*-* 09,10,11:00,15,30,45:00 Europe/London",)),
    "5 4 1,15 * 7": ("5 4 1,15 * 0", ("*-*-01,15 04:05:00 Europe/London", "Sun *-*-* 04:05:00 Europe/London")),
    "30 1 1 JAN,JUL *": ("30 1 1 1,7 *", ("*-01,07-01 01:30:00 Europe/London",)),
    "0 0 * * 0-7": ("0 0 * * *", ("*-*-* 00:00:00 Europe/London",)),
}  # fmt: skip


def exported(
    cron: str = "0 10 * * TUE", path: str = "gamedays/payments.yaml", title: str = "Payments", **more: Any
) -> Exported:
    plan = Schedule.model_validate({"cron": cron, "timezone": "Europe/London", **more})
    return Exported(path=Path(path), schedule=plan, title=title)


def read(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)  # pyright: ignore[reportUnknownMemberType]


@pytest.mark.parametrize(("cron", "expected"), CRONS.items(), ids=CRONS)
def test_a_cron_expression_means_the_same_in_every_form(cron: str, expected: tuple[str, tuple[str, ...]]) -> None:
    plain, calendars = expected
    assert plain_cron(cron) == plain
    assert systemd.calendar(exported(cron)) == calendars
    zone = ZoneInfo("Europe/London")
    assert upcoming(plain, zone, NOW, 50) == upcoming(cron, zone, NOW, 50)


def test_what_engines_read_in_two_ways_is_refused() -> None:
    both = exported("0 10 */2 * TUE")
    with pytest.raises(GamedayError, match="at once"):
        kubernetes.cron_job(both, "image")
    with pytest.raises(GamedayError, match="at once"):
        github.workflow(both)
    assert systemd.calendar(both) == (
        f"Tue *-*-{','.join(f'{day:02}' for day in range(1, 32, 2))} 10:00:00 Europe/London",
    )
    with pytest.raises(GamedayError, match="every 5 minutes"):
        github.workflow(exported("*/4 * * * *"))
    with pytest.raises(GamedayError, match="expression in that name"):
        github.workflow(exported(path="${{ secrets.X }}.yaml"))


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze: apt-get install systemd")
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, env={**os.environ, "TZ": "UTC"}
    )


@pytest.mark.parametrize("cron", CRONS)
def test_systemd_reads_the_times_as_we_do(cron: str) -> None:
    times: set[datetime] = set()
    for one in systemd.calendar(exported(cron)):
        said = analyze("calendar", "--iterations=40", "--base-time=2026-11-23 12:00:00 UTC", one)
        assert said.returncode == 0, said.stderr
        stamps = [
            line.rpartition(": ")[2]
            for line in said.stdout.splitlines()
            if "Next elapse:" in line or "Iteration #" in line or "Iter. #" in line
        ]
        times |= {datetime.strptime(stamp, "%a %Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC) for stamp in stamps}
    ours = upcoming(cron, ZoneInfo("Europe/London"), NOW, 40)
    assert tuple(sorted(times))[:40] == ours


@pytest.mark.parametrize("if_missed", ["skip", "run within 45m"])
def test_systemd_takes_the_units(tmp_path: Path, if_missed: str) -> None:
    program = tmp_path / "game day"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    day = exported(path=str(tmp_path / 'a "quoted" $HOME %h\\day.yaml'), title="100% of $users", if_missed=if_missed)
    units = systemd.units(day, program, tmp_path)
    assert sorted(units) == ["gameday-a-quoted-home-h-day.service", "gameday-a-quoted-home-h-day.timer"]
    for name, text in units.items():
        (tmp_path / name).write_text(text)
    said = analyze("verify", "--man=no", *(str(tmp_path / name) for name in units))
    assert (said.returncode, [line for line in said.stderr.splitlines() if "gameday-a" in line]) == (0, [])
    timer = next(text for name, text in units.items() if name.endswith("timer"))
    assert ("Persistent=true" in timer) == (if_missed != "skip")
    service = next(text for name, text in units.items() if name.endswith("service"))
    assert 'a \\"quoted\\" $$HOME %%h\\\\day.yaml"' in service
    assert '"--late" "46m"' in service if if_missed != "skip" else '"--late" "1m"' in service


def test_kubernetes_takes_the_object() -> None:
    text = kubernetes.manifest(exported(if_missed="run within 10m", jitter="5m"), "registry.example.com/gamedays:7")
    found = read(text)

    class Answer:
        data = json.dumps(found)

    api: Any = ApiClient()
    made = api.deserialize(Answer(), "V1CronJob")
    assert api.sanitize_for_serialization(made) == found, "no field is unknown to the API's model"
    spec = found["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("0 10 * * 2", "Europe/London", "Forbid")
    assert spec["startingDeadlineSeconds"] == 600
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    assert pod["containers"][0]["command"][-3:] == ["--scheduled", "--late", "40m"]
    assert len(found["metadata"]["name"]) <= 52


def wrong_in(workflow: Any) -> list[str]:
    schema = files("check_jsonschema").joinpath("builtin_schemas/vendor/github-workflows.json").read_text()
    validator: Any = Draft7Validator(json.loads(schema))
    return [error.message for error in validator.iter_errors(workflow)]


def test_github_takes_the_workflow() -> None:
    found = read(github.document(exported(path="gamedays/it's $(whoami).yaml")))
    assert wrong_in(found) == []
    assert found["on"]["schedule"] == [{"cron": "0 10 * * 2", "timezone": "Europe/London"}]
    runs = [step["run"] for step in found["jobs"]["day"]["steps"] if "run" in step]
    assert shlex.split(runs[1])[:4] == ["gameday", "day", "run", "gamedays/it's $(whoami).yaml"]


def test_a_wrong_workflow_would_be_noticed() -> None:
    wrong = github.workflow(exported()) | {"on": {"schedule": [{"cron": "0 10 * * 2", "zone": "Europe/London"}]}}
    assert wrong_in(wrong)


@pytest.mark.parametrize("title", ["# [x]: {y}\n- z", "on: yes", "\u2028second line", "a" * 300])
def test_a_title_stays_in_its_comment(title: str) -> None:
    day = exported(title=title)
    for text in (github.document(day), kubernetes.manifest(day, "image: x\n- y")):
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        assert lines[0] in ("name: gameday-payments", "apiVersion: batch/v1")
        assert read(text)
    assert (
        read(kubernetes.manifest(day, "image: x\n- y"))["spec"]["jobTemplate"]["spec"]["template"]["spec"][
            "containers"
        ][0]["image"]
        == "image: x\n- y"
    )


def test_the_bound_on_being_late_is_the_files_and_the_engines() -> None:
    assert exported().late() == "30m"
    assert exported(if_missed="run within 1h").late(timedelta(minutes=1)) == "1h1m"
