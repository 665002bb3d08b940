"""What a terminal is, what may be written to it, and a block that is drawn over itself."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import struct
import termios
from collections.abc import Iterator
from fcntl import ioctl

import pytest

from gameday.cli.terminal import Block, Line, coloured, encodable, interactive, printable, size_of

TERM = {"TERM": "xterm-256color"}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (TERM, True),
        ({**TERM, "CI": "true"}, False),
        ({**TERM, "CI": "1"}, False),
        ({**TERM, "CI": "false"}, True),
        ({**TERM, "CI": ""}, True),
        ({"TERM": "dumb"}, False),
        ({}, False),
        ({**TERM, "NO_COLOR": "1"}, True),
        ({**TERM, "FORCE_COLOR": "1", "TTY_INTERACTIVE": "0"}, True),
    ],
)
def test_a_terminal_is_interactive_unless_it_is_a_ci_job_or_dumb(environ: dict[str, str], *, expected: bool) -> None:
    assert interactive(Terminal(), environ) is expected


@pytest.mark.parametrize("environ", [TERM, {**TERM, "FORCE_COLOR": "1"}, {**TERM, "TTY_COMPATIBLE": "1"}])
def test_what_is_no_terminal_is_never_interactive(environ: dict[str, str]) -> None:
    assert not interactive(io.StringIO(), environ)
    closed = io.StringIO()
    closed.close()
    assert not interactive(closed, environ)


def test_colour_is_only_no_color_s_business() -> None:
    assert coloured({})
    assert coloured({"NO_COLOR": ""})
    assert not coloured({"NO_COLOR": "0", "FORCE_COLOR": "1"})


def test_nothing_that_others_wrote_moves_the_cursor() -> None:
    assert printable("a\x1b[2Jb\nc\td\r\x9b31m\u202ee") == "a?[2Jb c d ?31m?e"


def test_what_the_encoding_cannot_say_is_replaced() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert encodable("✓ fine", stream) == "? fine"


@pytest.fixture
def screen() -> Iterator[tuple[int, io.TextIOWrapper]]:
    """A pseudo terminal: the side that a person sees, and the stream that is written to."""
    master, slave = pty.openpty()
    stream = open(slave, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - a descriptor, closed below
    yield master, stream
    stream.close()
    os.close(master)


def seen_until(master: int, end: str) -> str:
    """What a person has seen when ``end`` has come: the kernel hands a terminal's output on in pieces, a little later."""
    seen = ""
    while not seen.endswith(end):
        ready, _, _ = select.select([master], [], [], 10)
        assert ready, seen
        seen += os.read(master, 65536).decode()
    return seen


def resize(stream: io.TextIOWrapper, columns: int, rows: int = 24) -> None:
    ioctl(stream.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def test_the_size_is_asked_each_time(screen: tuple[int, io.TextIOWrapper]) -> None:
    _, stream = screen
    for columns in (40, 120):
        resize(stream, columns)
        assert size_of(stream).columns == columns
    resize(stream, 0, 0)
    assert size_of(stream) == (80, 24)
    assert size_of(io.StringIO()) == (80, 24)


def test_a_block_goes_up_by_the_rows_that_its_lines_take_now(screen: tuple[int, io.TextIOWrapper]) -> None:
    master, stream = screen
    block = Block(stream)
    resize(stream, 80)
    block.draw(["said"], [Line(text="x" * 60, cells=60), Line(text="y" * 10, cells=10)])
    block.draw([], [Line(text="z", cells=1)])
    resize(stream, 30)  # a terminal wraps what it shows: 60 cells are 2 rows now
    block.draw([], [Line(text="x" * 29, cells=29), Line(text="y", cells=1)])
    resize(stream, 10)
    block.draw(["bye"], [])
    seen = seen_until(master, "bye\r\n")
    assert re.findall(r"\r\x1b\[(\d+)A\x1b\[J|\r(\x1b\[J)", seen) == [("1", ""), ("", "\x1b[J"), ("3", "")]
    assert seen.endswith("bye\r\n")
