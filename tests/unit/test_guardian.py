"""The runner's side of the watchdog, without one: what a heartbeat needs, and what a run does while its watchdog gets ready."""

from __future__ import annotations

import os
from typing import Any, cast

import pytest

from gameday.model import ProcessRef
from gameday.registry import report_formats
from gameday.runner import run
from gameday.undo import guardian as module
from gameday.undo.guardian import LEASE_SECONDS, Guardian, WatchdogLostError


class Beats:
    def __init__(self) -> None:
        self.count = 0

    def beat(self) -> None:
        self.count += 1


@pytest.mark.parametrize("ready", [False, True])
def test_heartbeats_must_be_answered_by_a_watchdog_that_is_ready(monkeypatch: pytest.MonkeyPatch, ready: bool) -> None:
    now = [0.0]
    monkeypatch.setattr(module, "boottime", lambda: now[0])
    read, write = os.pipe()
    try:
        beating = Guardian(cast("Any", None), write, ProcessRef(pid=1, start=0))
        monkeypatch.setattr(beating, "_reader", object() if ready else None)
        now[0] = LEASE_SECONDS + 1
        beating.beat()
        if ready:
            with pytest.raises(WatchdogLostError, match="has not answered"):
                beating.beat()
        else:
            beating.beat()
        assert os.read(read, 10) == (b"\n" if ready else b"\n\n")
    finally:
        os.close(read)
        os.close(write)


def test_a_run_goes_on_beating_while_it_imports_what_its_end_needs() -> None:
    beats = Beats()
    run.import_ahead(cast("Guardian", beats))
    assert beats.count == 1 + len(report_formats())
