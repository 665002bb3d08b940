"""A silence that is not proven gone makes a run dirty, with the command; one that is gone changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.judge.silences import silences_left
from gameday.model import Event, Run

ARMED = ("armed", {"fault": "silence_alerts", "plan": {"targets": ["alert Burn at alertmanager"]}})
GONE = ("reverted", {"fault": "silence_alerts", "proven": True})
STILL = ("still-active", {"fault": "silence_alerts"})
FAILED = ("revert-failed", {"fault": "silence_alerts"})
OTHER = ("reverted", {"fault": "down", "proven": True})


def run(*records: tuple[str, dict[str, Any]]) -> Run:
    events = tuple(Event(seq=i, kind=kind, at_ms=i, wall=0, data=data) for i, (kind, data) in enumerate(records))
    return Run(name="R", experiment={}, plan={}, events=events, head="", closed=True)


@pytest.mark.parametrize(
    ("records", "left"),
    [
        ((), False),
        ((OTHER,), False),
        ((ARMED,), True),
        ((ARMED, OTHER), True),
        ((ARMED, GONE), False),
        ((ARMED, FAILED), True),
        ((ARMED, FAILED, GONE), False),
        ((ARMED, GONE, STILL), True),
        ((ARMED, STILL, GONE), False),
        ((GONE, ARMED), True),
    ],
)
def test_it_is_left_until_its_last_word_is_that_it_is_gone(records: Any, left: bool) -> None:
    assert silences_left(run(*records)) == ((["alert Burn at alertmanager"],) if left else ())
