"""A system under test in one small process: it answers 200, unless a switch in its folder says otherwise.

``python -m tests.fakes.target PORT FOLDER``. Switches are files in FOLDER: ``broken`` answers 500, ``slow`` waits 400 ms,
``hang`` never answers. ``GET /depth`` answers what the file ``depth`` holds, and nothing while there is ``mute``. Each request looks
again, so that a command fault is a file and its undo the file's removal.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BROKEN = b"HTTP/1.1 500 Broken\r\nContent-Length: 2\r\n\r\nno"


class Target(asyncio.Protocol):
    """One connection."""

    folder: Path

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            if head.startswith(b"GET /depth "):
                self.depth()
            else:
                self.answer()

    def depth(self) -> None:
        if (self.folder / "mute").exists():
            return
        file = self.folder / "depth"
        text = file.read_bytes() if file.exists() else b"0"
        self.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text))

    def answer(self) -> None:
        if (self.folder / "hang").exists():
            return
        delay = 0.4 if (self.folder / "slow").exists() else 0.0
        reply = BROKEN if (self.folder / "broken").exists() else OK
        asyncio.get_running_loop().call_later(delay, self.write, reply)

    def write(self, reply: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(reply)


async def main() -> None:
    Target.folder = Path(sys.argv[2])
    server = await asyncio.get_running_loop().create_server(Target, "127.0.0.1", int(sys.argv[1]), backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
