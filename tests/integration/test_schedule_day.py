"""`gameday day run --scheduled` and the other verbs of the schedule as real processes: what begins, what is refused, what is stopped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gameday.cli import cli
from gameday.cli.dayserve import Launcher
from gameday.gamedays.schedule.locks import ON, held
from gameday.gamedays.schedule.store import Store
from gameday.spi.errors import GamedayError
from tests.harness import Lab, Ran, await_true, switch

EMPTY = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nEND:VCALENDAR\r\n"
BRIEF = [{"brief": "What we expect."}]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def day(lab: Lab, agenda: list[dict[str, Any]] | None = None, **schedule: Any) -> Path:
    path = lab.folder / "day.yaml"
    plan = {"cron": "* * * * *", "timezone": "Europe/London", **schedule}
    path.write_text(json.dumps({"version": 1, "title": "Nightly", "schedule": plan, "agenda": agenda or BRIEF}))
    return path


def scheduled(lab: Lab, path: Path, *words: str) -> Ran:
    return lab.run_verb("day", "run", str(path), "--unattended", "--output", str(lab.runs), "--scheduled", *words)


def days(lab: Lab) -> list[Path]:
    return sorted(lab.runs.glob("day-*")) if lab.runs.is_dir() else []


def today(minutes: int) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat(timespec="seconds")


def test_a_day_that_is_due_runs_and_its_time_is_claimed(lab: Lab) -> None:
    path, state = day(lab), lab.folder / "schedule"
    due = datetime(2026, 11, 24, 10, tzinfo=UTC)
    ran = scheduled(lab, path, "--state", str(state), "--due", due.isoformat())
    assert ran.code == 3, ran
    (row,) = Store(state).begun()
    assert (row.day, row.due, row.state, row.exit_code) == (str(path), due, "ended", 3)
    again = scheduled(lab, path, "--state", str(state), "--due", due.isoformat())
    assert again.code == 6
    assert "was begun for 2026-11-24 10:00 UTC already" in again.err
    assert len(days(lab)) == 1


def test_what_the_server_starts_is_the_ordinary_command(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in lab.environment().items():
        monkeypatch.setenv(name, value)
    path, state = day(lab), lab.folder / "schedule"
    due = datetime(2026, 11, 24, 10, tzinfo=UTC)
    store = Store(state)
    child = Launcher(state=state, output=lab.runs)(path, due)
    assert child.wait(40) == 3
    (row,) = store.begun()
    assert (row.state, row.exit_code, row.pid) == ("ended", 3, child.pid)
    (log,) = (state / "logs").iterdir()
    assert "Nightly" in log.read_text()
    assert len(days(lab)) == 1


NOW = datetime.now(UTC)
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a window": ({"window": {"days": f"{NOW + timedelta(days=3):%a}".lower()}}, "outside the window"),
    "a blackout": ({"blackout": [{"from": today(-60), "to": today(600)}]}, "blackout until"),
    "a calendar in doubt": ({"blackout": [{"file": "page.ics"}]}, "it is no calendar"),
    "no time that has come": ({"cron": f"0 0 {NOW - timedelta(days=40):%d %m} *"}, "is not due"),
}


@pytest.mark.parametrize(("schedule", "said"), REFUSED.values(), ids=REFUSED)
def test_a_day_that_may_not_be_on_is_refused_by_an_exit_code_of_its_own(
    lab: Lab, schedule: dict[str, Any], said: str
) -> None:
    (lab.folder / "page.ics").write_text("<html>Log in</html>")
    due = () if "cron" in schedule else ("--due", "2026-11-24T10:00:00+00:00")
    ran = scheduled(lab, day(lab, **schedule), "--state", str(lab.folder / "schedule"), *due)
    assert ran.code == 6, ran
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert days(lab) == [], "nothing was touched"
    assert Store(lab.folder / "schedule").begun() == ()


def test_another_day_that_is_on_is_not_overlapped(lab: Lab) -> None:
    state = Store(lab.folder / "schedule")
    with held(state.folder / ON):
        ran = scheduled(lab, day(lab), "--state", str(state.folder))
    assert ran.code == 6
    assert "another day is on" in ran.err


@pytest.fixture
def call(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Call a verb in this process; return its exit code and what it wrote, or the user's mistake that it raised."""
    monkeypatch.chdir(lab.folder)

    def made(*words: object) -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["day", *map(str, words)])
        if isinstance(result.exception, GamedayError):
            return 2, str(result.exception)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    return made


@pytest.mark.parametrize(
    "words", [("--scheduled",), ("--late", "5m"), ("--scheduled", "--late", "soon"), ("--scheduled", "--due", "soon")]
)
def test_mistakes_are_said_before_anything_begins(
    lab: Lab, call: Callable[..., tuple[int, str]], words: tuple[str, ...]
) -> None:
    path = day(lab)
    if len(words) == 1:
        path.write_text(json.dumps({"version": 1, "title": "Small", "agenda": BRIEF}))
    code, said = call("run", path, *words)
    assert (code, days(lab)) == (2, []), said


@pytest.mark.parametrize("verb", ["serve", "next", "export"])
def test_a_file_without_a_schedule_or_with_a_wrong_one_is_refused(
    lab: Lab, call: Callable[..., tuple[int, str]], verb: str
) -> None:
    more = ("--github",) if verb == "export" else ()
    path = lab.folder / "day.yaml"
    path.write_text(json.dumps({"version": 1, "title": "Small", "agenda": BRIEF}))
    code, said = call(verb, path, *more)
    assert (code, "has no schedule:" in said) == (2, True), said
    path.write_text("version: 1\ntitle: x\nschedule: {cron: 99 * * * *}\nagenda: [{brief: x}]\n")
    code, said = call(verb, path, *more)
    assert (code, "day.yaml:3" in said) == (2, True), said


def test_next_lists_what_runs_and_what_is_skipped(lab: Lab, call: Callable[..., tuple[int, str]]) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    blackout = [{"from": f"{tomorrow:%Y-%m-%d}T11:00", "to": f"{tomorrow:%Y-%m-%d}T13:00"}]
    path = day(lab, cron="0 12 * * *", timezone="UTC", blackout=blackout)
    _, out = call("next", path, "-n", "3", "--format", "json")
    (document,) = json.loads(out)
    assert (document["schema"], len(document["times"])) == ("gameday/next/1", 3)
    assert [one["runs"] for one in document["times"] if one["due"].startswith(f"{tomorrow:%Y-%m-%d}")] == [False]
    assert sum(one["runs"] for one in document["times"]) == 2
    _, out = call("next", path, "-n", "3")
    assert out.count("skipped: blackout until") == 1
    assert out.count("UTC  runs") == 2


def test_export_writes_files_and_overwrites_none(lab: Lab, call: Callable[..., tuple[int, str]]) -> None:
    path = day(lab, cron="0 12 * * TUE")
    assert call("export", path, "--systemd", "--to", "units")[0] == 0
    assert sorted(one.name for one in (lab.folder / "units").iterdir()) == ["gameday-day.service", "gameday-day.timer"]
    assert str(path) in (lab.folder / "units" / "gameday-day.service").read_text()
    assert call("export", path, "--systemd", "--to", "units")[0] == 2
    assert "kind: CronJob" in call("export", path, "--kubernetes", "--image", "x:1")[1]
    assert call("export", path, "--kubernetes")[0] == 2
    assert call("export", path, "--github", "--systemd")[0] == 2
    assert "timezone: Europe/London" in call("export", path, "--github")[1]


def test_serve_begins_nothing_out_of_time_and_ends_in_order(lab: Lab) -> None:
    path = day(lab, cron="0 0 29 2 *")
    server = subprocess.Popen(
        [sys.executable, "-m", "gameday", "day", "serve", str(path)],
        env=lab.environment(),
        cwd=lab.folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        assert "next is 2028-02-29 00:00 GMT" in server.stdout.readline()
        server.send_signal(signal.SIGTERM)
        rest, _ = server.communicate(timeout=30)
    finally:
        server.kill()
        server.wait()
    assert server.returncode == 0
    assert rest.rstrip().endswith("the server has ended")
    assert (lab.folder / "state" / "schedule" / "schedule.sqlite3").is_file()


@pytest.mark.long
@pytest.mark.timeout(150)
def test_a_blackout_that_begins_in_mid_fault_stops_the_day_and_the_fault_is_undone(lab: Lab) -> None:
    calendar, broken = lab.folder / "holidays.ics", lab.folder / "broken"
    calendar.write_text(EMPTY, newline="")
    lab.write(faults=[{"flip": {"do": "command", "with": switch(lab.folder), "at": "0s", "for": "5m"}}])
    agenda = [{"experiment": "experiment.yaml"}, {"brief": "Never reached."}]
    path, state = day(lab, agenda, blackout=[{"file": "holidays.ics"}]), lab.folder / "schedule"
    words = ["day", "run", str(path), "--unattended", "--output", str(lab.runs), "--scheduled", "--state", str(state)]
    with (lab.folder / "out.log").open("wb") as log:
        process = subprocess.Popen(
            lab.command(*words),
            stdout=log,
            stderr=subprocess.STDOUT,
            env=lab.environment(),
            cwd=lab.folder,
            start_new_session=True,
        )
    try:
        await_true(broken.exists, 70, f"the fault is on; {lab.log()}")
        draft = lab.folder / "draft.ics"
        begin, end = (f"{datetime.now(UTC) + timedelta(hours=hours):%Y%m%dT%H%M%SZ}" for hours in (-1, 3))
        event = f"BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Release freeze\r\nDTSTART:{begin}\r\nDTEND:{end}\r\nEND:VEVENT\r\n"
        draft.write_text(EMPTY.replace("END:VCALENDAR", event + "END:VCALENDAR"), newline="")
        draft.replace(calendar)
        await_true(lambda: not broken.exists(), 60, f"the fault is undone; {lab.log()}")
        assert process.wait(40) == 4, lab.log()
    finally:
        process.kill()
        process.wait()
    (folder,) = days(lab)
    records = [json.loads(line) for line in (folder / "journal.ndjson").read_text().splitlines()]
    (stopped,) = [one["data"] for one in records if one["kind"] == "stopped"]
    assert (stopped["by"], stopped["how"]) == ("schedule", "person")
    assert "Release freeze" in stopped["why"]
    (run,) = (folder / "runs").iterdir()
    kinds = [json.loads(line)["kind"] for line in (run / "journal.ndjson").read_text().splitlines()]
    assert "reverted" in kinds, kinds
    verdict = json.loads((run / "verdict.json").read_text())
    assert (verdict["verdict"], verdict["residue"]) == ("aborted", [])
    assert [one.exit_code for one in Store(state).begun()] == [4]
    assert "Never reached" not in [one["data"].get("title") for one in records if one["kind"] == "item-started"]
    assert lab.left_over() == []
