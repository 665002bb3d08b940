"""Lines from a pipe: whole, in order, bounded, and never timed out while they are already there."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import contextmanager

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.load import lines
from gameday.load.lines import LineReader
from gameday.spi.errors import LoadError

FAR = float("inf")


@contextmanager
def pipe() -> Generator[tuple[LineReader, int]]:
    stream, end = os.pipe()
    reader = LineReader(stream)
    try:
        yield reader, end
    finally:
        reader.close()
        reader.close()
        os.close(end)


@given(st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line), max_size=20), st.integers(1, 50))
def test_lines_come_whole_whatever_the_pieces(sent: list[bytes], size: int) -> None:
    data = b"".join(line + b"\n" for line in sent) + b"torn"

    async def scenario() -> list[bytes]:
        stream, end = os.pipe()
        reader = LineReader(stream)
        found: list[bytes] = []

        async def write() -> None:
            for start in range(0, len(data), size):
                os.write(end, data[start : start + size])
                await anyio.lowlevel.checkpoint()
            os.close(end)

        async with anyio.create_task_group() as group:
            group.start_soon(write)
            while (line := await reader.next(FAR)) is not None:
                found.append(line)
        reader.close()
        return found

    assert anyio.run(scenario) == sent


def test_a_deadline_that_is_over_does_not_lose_what_is_there() -> None:
    async def scenario() -> None:
        with pipe() as (reader, end):
            os.write(end, b"one\n")
            assert await reader.next(time.monotonic() - 1) == b"one"
            with pytest.raises(TimeoutError):
                await reader.next(time.monotonic() + 0.01)

    anyio.run(scenario)


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINE_LIMIT", 1000)

    async def scenario() -> None:
        with pipe() as (reader, end):
            os.write(end, b"x" * 1001)
            with pytest.raises(LoadError, match="more than 1000 bytes"):
                await reader.next(time.monotonic() + 5)

    anyio.run(scenario)


def test_a_closed_reader_is_at_its_end() -> None:
    async def scenario() -> None:
        with pipe() as (reader, _):
            reader.close()
            assert await reader.next(FAR) is None

    anyio.run(scenario)
