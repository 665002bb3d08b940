"""Lines from a pipe, for any event loop of anyio: waited for with a deadline, and bounded."""

from __future__ import annotations

import os
import time

import anyio

from gameday.load.protocol import LINE_LIMIT
from gameday.spi.errors import LoadError

_BLOCK = 262_144


class LineReader:
    """Owns the read end of a pipe."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._data = bytearray()
        self._searched = 0
        self._open = True

    async def next(self, deadline: float) -> bytes | None:
        """Return the next line without its newline, or None at the end of the stream, where a line without newline is torn and dropped.

        Raises TimeoutError after ``deadline``, in ``time.monotonic()`` seconds, and LoadError when the line is too long.
        """
        while (end := self._data.find(b"\n", self._searched)) < 0:
            self._searched = len(self._data)
            if self._searched > LINE_LIMIT:
                raise LoadError(f"the load generator sent a message of more than {LINE_LIMIT} bytes")
            if not await self._fill(deadline):
                return None
        line = bytes(self._data[:end])
        del self._data[: end + 1]
        self._searched = 0
        return line

    async def _fill(self, deadline: float) -> bool:
        """Read what there is; wait for it at most until the deadline, but never time out on data that is already there."""
        while self._open:
            try:
                chunk = os.read(self._descriptor, _BLOCK)
            except BlockingIOError:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError from None
                with anyio.move_on_after(left):
                    await anyio.wait_readable(self._descriptor)
                continue
            self._data += chunk
            return bool(chunk)
        return False

    def close(self) -> None:
        """Close the pipe; safe twice."""
        if self._open:
            self._open = False
            os.close(self._descriptor)
