"""A schedule as a GitHub workflow: ``on.schedule`` with ``timezone``."""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import Any

from gameday.gamedays.schedule.export.exported import Exported, is_rarer, plain_cron
from gameday.gamedays.schedule.export.yamltext import to_yaml
from gameday.spi.errors import GamedayError

DELAY = timedelta(hours=1)
"""GitHub promises no time: runs at the full hour are often later than half an hour."""
_SHORTEST = timedelta(minutes=5)


def workflow(exported: Exported) -> dict[str, Any]:
    """Return the workflow; raise GamedayError for what GitHub cannot do."""
    schedule = exported.schedule
    if not is_rarer(schedule.cron, _SHORTEST):
        raise GamedayError(f"GitHub runs nothing more often than every 5 minutes, and {schedule.cron!r} asks for more")
    if "${{" in str(exported.path):
        raise GamedayError(f"{exported.path}: GitHub would read an expression in that name", hint="rename the file")
    return {
        "name": exported.name,
        "on": {"schedule": [{"cron": plain_cron(schedule.cron), "timezone": schedule.timezone}]},
        "permissions": {"contents": "read"},
        "concurrency": {"group": exported.name, "cancel-in-progress": False},
        "jobs": {
            "day": {
                "runs-on": "ubuntu-latest",
                "steps": [
                    {"uses": "actions/checkout@v4"},
                    {"uses": "actions/setup-python@v5", "with": {"python-version": "3.12"}},
                    {"run": 'pip install "gameday-runner[calendar]"'},
                    {"run": shlex.join(("gameday", *exported.arguments(DELAY)))},
                    {"if": "always()", "run": "gameday recover --all"},
                    {
                        "if": "always()",
                        "uses": "actions/upload-artifact@v4",
                        "with": {"name": "runs", "path": "runs/", "if-no-files-found": "ignore"},
                    },
                ],
            }
        },
    }


def document(exported: Exported) -> str:
    """Return it as YAML."""
    missed = "if_missed: GitHub starts late, or not at all when it is busy, and never starts what it has left out."
    lost = (
        f"{missed} Up to {exported.late(DELAY)} late begins.",
        "A job that is cancelled has 10 seconds: what could not be reverted in them is reverted by nobody, because the machine is gone.",
        "Scheduled workflows run from the default branch, and stop after 60 days without a commit in public repositories.",
    )
    return to_yaml(workflow(exported), (*exported.header, *lost))
