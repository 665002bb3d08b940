"""A schedule as a Kubernetes CronJob (batch/v1, 1.27 or later for ``timeZone``)."""

from __future__ import annotations

from typing import Any

from gameday.gamedays.schedule.decide import may_be_late
from gameday.gamedays.schedule.export.exported import Exported, plain_cron
from gameday.gamedays.schedule.export.yamltext import to_yaml

_GRACE_S = 300
"""For a day that is stopped: its faults are reverted, and its verdict is written."""


def cron_job(exported: Exported, image: str) -> dict[str, Any]:
    """Return the object; raise GamedayError for an expression that Kubernetes reads in another way."""
    schedule = exported.schedule
    labels = {"app.kubernetes.io/name": exported.name, "app.kubernetes.io/managed-by": "gameday"}
    container = {
        "name": "gameday",
        "image": image,
        "command": ["gameday", *exported.arguments()],
    }
    pod = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": _GRACE_S,
        "containers": [container],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": exported.name, "labels": labels},
        "spec": {
            "schedule": plain_cron(schedule.cron),
            "timeZone": schedule.timezone,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": int(may_be_late(schedule).total_seconds()),
            "jobTemplate": {
                "metadata": {"labels": labels},
                "spec": {"backoffLimit": 0, "template": {"metadata": {"labels": labels}, "spec": pod}},
            },
        },
    }


def manifest(exported: Exported, image: str) -> str:
    """Return it as YAML."""
    lost = (
        "Where clocks change: a time that they skip does not run at all (gameday day serve runs it after the gap).",
        "A Job never runs twice for one time, but Kubernetes says itself that it may, rarely, start two.",
        "The image needs gameday, this file and its experiments; the pod needs the secrets and rights that they use.",
    )
    return to_yaml(cron_job(exported, image), (*exported.header, *lost))
