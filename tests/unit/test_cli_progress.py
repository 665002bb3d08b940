"""What shows a run never holds it up: not when it blocks, not when it is gone, not when it cannot say a letter."""

from __future__ import annotations

import io
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gameday.cli import faces
from gameday.cli import progress as module
from gameday.cli.faces import Lines
from gameday.cli.progress import Progress
from gameday.model import Event
from tests.unit.test_cli_panel import event, experiment


def shown(*items: Event | str, stream: io.StringIO | None = None, **options: Any) -> str:
    out = stream or io.StringIO()
    with Progress(experiment(), stream=out, environ={"FORCE_COLOR": "1", "TERM": "xterm"}, **options) as progress:
        for item in items:
            progress.say(item) if isinstance(item, str) else progress(item)
    return out.getvalue()


def test_off_a_terminal_it_is_plain_timestamped_lines() -> None:
    text = shown("run 1: hello", event("phase", name="baseline"), event("inject-called", fault="down"))
    assert [line.partition(" ")[2] for line in text.splitlines()] == [
        "run 1: hello",
        "baseline: measuring the steady state",
        "injecting down",
    ]
    assert all(line[2] == line[5] == ":" for line in text.splitlines())
    assert "\x1b" not in text
    assert "\r" not in text


def test_a_heartbeat_says_where_a_silent_run_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(Lines, "period", 0.02)
    out = io.StringIO()
    with Progress(experiment(), stream=out, environ={}) as progress:
        progress(event("opened", epoch_ns=time.monotonic_ns()))
        progress(event("phase", name="recovery"))
        progress.pulses({"t": "agg", "rows": [[1, "browse", "timeout", 1, {}], [1, "browse", "ok", 3, {}]], "hist": []})
        end = time.monotonic() + 5
        while "goes on" not in out.getvalue() and time.monotonic() < end:
            time.sleep(0.01)
    assert (
        "… recovery: watching the steady state come back goes on, 20 s left, 25.0% failed in the last 5 s"
        in out.getvalue()
    )


def test_a_reader_who_stops_reading_blocks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "END_SECONDS", 0.2)
    read, write = os.pipe()
    stream = open(write, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - a descriptor; what lies in it may not be closed in order
    began = time.monotonic()
    with Progress(experiment(), stream=stream, environ={}) as progress:
        for _ in range(3000):
            progress.say("x" * 100)  # 300 kB into a pipe that holds 64
            progress.pulses({"t": "pulse", "at_ms": 0, "sent": 0, "in_flight": 0})
    assert time.monotonic() - began < 5
    os.close(read)  # and the thread that hung in there ends
    with suppress(BrokenPipeError):
        stream.close()


def test_a_reader_who_has_gone_stops_nobody() -> None:
    read, write = os.pipe()
    os.close(read)
    stream = open(write, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - a descriptor, which cannot even be closed in order
    with Progress(experiment(), stream=stream, environ={}) as progress:
        for _ in range(10):
            progress.say("hello")
            progress(event("phase", name="fault"))
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_a_closed_stream_stops_nobody() -> None:
    out = io.StringIO()
    out.close()
    with Progress(experiment(), stream=out, environ={}) as progress:
        progress.say("hello")


def test_a_stream_that_is_only_ascii_gets_only_ascii(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("w", encoding="ascii") as stream, Progress(experiment(), stream=stream, environ={}) as progress:
        progress.say("… – ✓ naïve")
    assert path.read_bytes().endswith(b" ? ? ? na?ve\n")
