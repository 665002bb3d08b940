"""What the standard library needs two lines for."""

from __future__ import annotations

import contextlib
import socket
import struct

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""struct linger with no time left: closing sends RST instead of FIN."""


def reset_on_close(sock: socket.socket) -> None:
    """Make the close of this socket a reset."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
