"""A client of a fault proxy's control port: one request, one reply, within fixed bounds of time and size."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlsplit

from gameday.model import Json
from gameday.spi import DriverError

if TYPE_CHECKING:
    import http.client

_TIMEOUT_SECONDS = 2.0
_REPLY_LIMIT = 1024 * 1024
_NOT_ALLOWED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the control port answered."""

    status: int
    content: Json
    """The JSON object in its body; empty where there is none."""

    @property
    def error(self) -> str:
        """What it says is wrong, in Toxiproxy's words; empty when it says nothing that can be read."""
        return str(self.content.get("error", ""))

    def read(self, key: str, kind: type) -> Any:
        """Return one member of the object; raise DriverError when it is missing, or of another kind."""
        found = self.content.get(key)
        if not isinstance(found, kind):
            raise DriverError(f"what the control port answers has no {key}: it is not a proxy's")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Where a control port is, and the token it asks for."""

    address: str
    """``http://HOST:PORT``."""
    token: str = field(default="", repr=False)

    def call(self, method: str, *path: str, body: Any = None) -> Reply:
        """Send one request; raise DriverError when no reply comes or we may not ask."""
        import http.client  # noqa: PLC0415 - a file that is only checked needs no HTTP

        target = "/" + "/".join(quote(part, safe="") for part in path)
        payload = None if body is None else json.dumps(body).encode()
        try:
            with closing(self._connection()) as connection:
                connection.request(method, target, payload, self._headers())
                response = connection.getresponse()
                status, raw = response.status, response.read(_REPLY_LIMIT + 1)
        except (OSError, http.client.HTTPException) as error:
            raise DriverError(f"no reply from the control port of the proxy at {self.address}: {error}") from error
        if status in _NOT_ALLOWED:
            message = f"the control port of the proxy at {self.address} turns us away ({status})"
            raise DriverError(message, hint="give its token under proxies:")
        if len(raw) > _REPLY_LIMIT:
            raise DriverError(f"the control port of the proxy at {self.address} answers too much")
        return Reply(status=status, content=_decoded(raw))

    def _connection(self) -> http.client.HTTPConnection:
        import http.client  # noqa: PLC0415 - as above

        try:
            parts = urlsplit(self.address)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if not host or parts.scheme not in ("http", "https"):
            raise DriverError(f"not the address of a control port: {self.address!r}", hint="write http://HOST:PORT")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(host, port, timeout=_TIMEOUT_SECONDS)

    def _headers(self) -> dict[str, str]:
        headers = {"User-Agent": "gameday", "Content-Type": "application/json"}
        if self.token:
            if not (self.token.isascii() and self.token.isprintable()):
                raise DriverError(f"the token for the proxy at {self.address} has characters that no header can carry")
            headers["Authorization"] = f"Bearer {self.token}"
        return headers


def _decoded(raw: bytes) -> Json:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
