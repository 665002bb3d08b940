"""A failure as the API server answers it, and failures that are no answer."""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler
    from threading import Event

NOT_JSON = b"<html><body>502 Bad Gateway</body></html>"
HANG_SECONDS = 3.0
"""Longer than any request waits."""
_RST = struct.pack("ii", 1, 0)
"""SO_LINGER on, zero seconds: close sends a reset (tcp(7), socket(7))."""


class ApiError(Exception):
    """One Status object and its HTTP status."""

    def __init__(
        self, code: int, reason: str, message: str, *, headers: dict[str, str] | None = None, **details: Any
    ) -> None:
        super().__init__(message)
        self.code = code
        self.headers = headers or {}
        self.body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "details": details,
            "code": code,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """What comes instead of the answer."""

    how: Literal["reset", "truncated", "not JSON", "no object", "empty object", "hang"]
    done: bool = False
    """Whether what was asked for was done before."""

    def send(self, handler: BaseHTTPRequestHandler, stopping: Event) -> None:
        """Send it, and end the connection."""
        handler.close_connection = True
        if self.how == "hang":
            stopping.wait(HANG_SECONDS)
        if self.how in ("reset", "hang"):
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
            handler.connection.close()
            return
        data = {"not JSON": NOT_JSON, "no object": b"[]", "empty object": b"{}"}.get(self.how, json.dumps({}).encode())
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data) + 100 * (self.how == "truncated")))
        handler.end_headers()
        handler.wfile.write(data)
