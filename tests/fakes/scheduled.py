"""The server and a day of it as real processes under a clock of the test's: a file that holds the time.

``python -m tests.fakes.scheduled serve STATE CLOCK FILE…`` is the server; the days that it starts are this module, too, claim their time
as real ones do, write one line into ``STATE/began``, and end with exit code 3 when ``STATE/release`` is there.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from gameday.cli.dayserve import Launcher
from gameday.gamedays.schedule.attend import Attended, NotNowError, attend, note_end
from gameday.gamedays.schedule.files import Watched, read_schedule
from gameday.gamedays.schedule.serve import Server
from gameday.gamedays.schedule.store import Store

_CLOCK = "TEST_CLOCK"


def clock() -> datetime:
    return datetime.fromisoformat(Path(os.environ[_CLOCK]).read_text()).astimezone(UTC)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def serve(state: Path, paths: list[str]) -> None:
    server = Server(
        files=[Watched(path=Path(path)) for path in paths],
        store=Store(state),
        clock=clock,
        launch=Launcher(state=state, output=state, command=(sys.executable, "-m", "tests.fakes.scheduled")),
        say=say,
        look_s=0.05,
    )
    signal.signal(signal.SIGTERM, lambda _number, _frame: server.over.set())
    server.serve()


def run_day(path: Path, due: datetime, state: Path) -> int:
    attended = Attended(path=path, schedule=read_schedule(path), clock=clock, say=say, stop=say)

    store = Store(state)
    try:
        with attend(attended, due, store):
            with (state / "began").open("a") as file:
                file.write(f"{path.name} {due:%d} {os.getpid()}\n")
            while not (state / "release").exists():
                time.sleep(0.02)
            note_end(attended, due, store, 3)
            return 3
    except NotNowError as error:
        say(str(error))
        return 6


def main() -> int:
    if sys.argv[1] == "serve":
        os.environ[_CLOCK] = sys.argv[3]
        serve(Path(sys.argv[2]), sys.argv[4:])
        return 0
    given = dict(zip(sys.argv, sys.argv[1:], strict=False))
    return run_day(Path(given["run"]), datetime.fromisoformat(given["--due"]), Path(given["--state"]))


if __name__ == "__main__":
    sys.exit(main())
