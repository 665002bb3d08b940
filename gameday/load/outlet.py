"""The child's two pipes: messages to the parent, in order, and commands from it. Load child only."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import gevent
from gevent.os import make_nonblocking, nb_read, nb_write
from gevent.queue import Queue

from gameday.load.protocol import TEXT_LIMIT, Message, encode
from gameday.load.tether import EXIT_ORPHAN

EXIT_DEAF = 4
"""The parent reads no more."""
_BACKLOG = 2_000
"""Messages that may wait for the parent: some minutes of them."""

Put = Callable[[Message], None]
Obey = Callable[[dict[str, Any]], str | None]
"""Carries out a command; returns what is wrong with it, if anything is."""


class Outlet:
    """Messages to the parent; whoever puts one never waits for the pipe."""

    def __init__(self, descriptor: int) -> None:
        make_nonblocking(descriptor)
        self._descriptor = descriptor
        self._queue: Any = Queue()
        self._writer: Any = gevent.spawn(self._write)

    def put(self, message: Message) -> None:
        """Queue one message; end the process when the parent has read nothing for minutes."""
        if self._queue.qsize() >= _BACKLOG:
            os._exit(EXIT_DEAF)
        self._queue.put(encode(message))

    def close(self) -> None:
        """Write what is queued."""
        self._queue.put(None)
        self._writer.join()

    def _write(self) -> None:
        while (line := self._queue.get()) is not None:
            while line:
                try:
                    line = line[nb_write(self._descriptor, line) :]
                except BrokenPipeError:
                    os._exit(EXIT_ORPHAN)


def obey_commands(descriptor: int, obey: Obey, put: Put) -> None:
    """Carry out the commands of the parent and acknowledge each; the end of the pipe is the end of this process."""
    make_nonblocking(descriptor)
    pending = b""
    while chunk := nb_read(descriptor, 65_536):
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            command = json.loads(line)
            wrong = obey(command)
            ack = {"t": "ack", "cmd": str(command.get("cmd"))}
            put(ack if wrong is None else {**ack, "error": wrong[:TEXT_LIMIT]})
    os._exit(EXIT_ORPHAN)
