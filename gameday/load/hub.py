"""Several load children of our own as one: each makes its share of the same schedule, and their streams are merged. Load child only."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import gevent
from gevent.event import Event
from gevent.os import make_nonblocking, nb_read, nb_write

from gameday.load.merge import Merger
from gameday.load.outlet import Outlet, obey_commands
from gameday.load.protocol import LINE_LIMIT, SLOT_NS, Message, encode, parse_message
from gameday.spi.errors import LoadError

EXIT_REFUSED = 2
_PULSES = 10
_TICK_BEAT = 2
"""Children tick on the second; 200 ms later all of them have."""
_GRACE_S = 1.0
_BLOCK = 262_144


class Hub:
    """The process between the parent and the children."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self._count = int(config["processes"])
        self._outlet = Outlet(int(config["out_fd"]))
        self._merger = Merger(self._outlet.put, expect=self._count)
        self._children = [_Child(config, n, self._count) for n in range(self._count)]
        self._ready: list[Message] = []
        self._all_ready, self._over, self._begun = Event(), Event(), Event()

    def run(self, *, boot_s: float) -> None:
        """Start the children, say ready when all are, and go on until all have said bye or are lost."""
        for child in self._children:
            gevent.spawn(self._listen, child)
        self._all_ready.wait()
        gevent.spawn(obey_commands, 0, self._obey, self._outlet.put)
        slowest = max([boot_s, *(float(ready["boot_s"]) for ready in self._ready)])
        self._outlet.put({**self._ready[0], "pid": os.getpid(), "boot_s": round(slowest, 3)})
        gevent.spawn(self._beat)
        self._over.wait()
        self._merger.bye(time.monotonic_ns())
        self._outlet.close()
        os._exit(0)

    def _listen(self, child: _Child) -> None:
        """Take the messages of one child until its end; what it sends is checked as if it were a stranger's."""
        self._merger.add(child.name, time.monotonic_ns())
        child.tell(child.config)
        try:
            for line in child.lines():
                self._take(child, parse_message(line))
        except LoadError as error:
            self._outlet.put({"t": "log", "text": f"load generator {child.name}: {error}"})
            child.process.kill()
        self._ended(child)

    def _take(self, child: _Child, message: Message) -> None:
        match message["t"]:
            case "ready":
                self._ready.append(message)
                if len(self._ready) == self._count:
                    self._all_ready.set()
            case "refused":
                self._refuse(message)
            case "ack" if "error" in message:
                self._outlet.put({"t": "log", "text": f"load generator {child.name}: {message['error']}"})
            case _:
                self._merger.feed(child.name, message, time.monotonic_ns())

    def _refuse(self, message: Message) -> None:
        self._outlet.put(message)
        self._outlet.close()
        os._exit(EXIT_REFUSED)

    def _ended(self, child: _Child) -> None:
        code = child.process.wait()
        if not self._all_ready.is_set():
            os._exit(EXIT_REFUSED)
        if code != 0:
            self._merger.lose(child.name)
            self._outlet.put({"t": "log", "text": f"load generator {child.name} is lost (exit code {code})"})
        if self._merger.over(time.monotonic_ns()):
            self._over.set()

    def _obey(self, command: dict[str, Any]) -> str | None:
        for child in self._children:
            child.tell(command)
        if command.get("cmd") == "stop":
            gevent.spawn_later(self._config["timeout_ms"] / 1000 + _GRACE_S, self._over.set)
        return None

    def _beat(self) -> None:
        epoch_ns = int(self._config["epoch_ns"])
        while True:
            now = time.monotonic_ns()
            beat = (now - epoch_ns) // SLOT_NS + 1
            gevent.sleep((epoch_ns + beat * SLOT_NS - now) / 1e9)
            now = time.monotonic_ns()
            self._merger.pulse((now - epoch_ns) // 1_000_000)
            if beat % _PULSES == _TICK_BEAT:
                self._merger.tick(now)


class _Child:
    """One load child of the hub."""

    def __init__(self, config: dict[str, Any], number: int, count: int) -> None:
        self.name = str(number + 1)
        self._stream, inherited = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "gameday.load.child"], stdin=subprocess.PIPE, bufsize=0, pass_fds=(inherited,)
        )
        os.close(inherited)
        own = {"processes": 1, "share": [number, count], "out_fd": inherited, "parent_pid": os.getpid()}
        self.config = {**config, **own}
        make_nonblocking(self._stream)

    def tell(self, message: dict[str, Any]) -> None:
        """Send one line; a child that is gone is noticed by its stream."""
        pipe = self.process.stdin
        if pipe is None:
            return
        make_nonblocking(pipe.fileno())
        line = encode(message)
        try:
            while line:
                line = line[nb_write(pipe.fileno(), line) :]
        except BrokenPipeError:
            return

    def lines(self) -> Any:
        """Yield whole lines until the end of the stream; raise LoadError when one is too long."""
        data = b""
        while chunk := nb_read(self._stream, _BLOCK):
            *lines, data = (data + chunk).split(b"\n")
            yield from lines
            if len(data) > LINE_LIMIT:
                raise LoadError(f"it sent a message of more than {LINE_LIMIT} bytes")
