"""Asking an HTTP API for JSON: what is not a good answer in JSON is an error, with what the API itself says of it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from gameday.spi import DriverError, ProbeError, QueryError, World
from gameday_drivers.http_exchange import Asked, ExchangeError, exchange
from gameday_drivers.http_requests import read_headers, read_url
from gameday_drivers.jsonpath import read_json

_SAID = 200
_PASSING = (408, 425, 429)
"""Refusals that go by themselves: too slow, too early, too many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Where an API is, and who asks it; secrets are still references."""

    url: str
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any])
    user: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 5.0
    """Seconds for one answer."""

    def check(self) -> None:
        """Raise ValueError, as a probe's ``__post_init__`` does, for what cannot be asked."""
        read_url("value", self.url)
        if "?" in self.url or "#" in self.url:
            raise ValueError("value has more than host and path; write it without ? and #")
        headers = read_headers("headers", self.headers)
        if bool(self.user) != bool(self.password):
            raise ValueError('user and password belong together; write user: NAME, password: "${password}"')
        if self.password and "${" not in self.password:
            raise ValueError(
                "password stands in the file, which is kept; declare variables: {password: {env: NAME, secret: true}}"
            )
        if self.user and "authorization" in {name.lower() for name in headers}:
            raise ValueError("headers have an Authorization beside user and password; keep one")

    def ask(self, world: World, path: str, *, method: str = "GET", body: str | None = None) -> Mapping[str, Any]:
        """Return the object that the API answers; raise ProbeError, or QueryError when it refuses the question itself."""
        asked = Asked(method=method, url=self.url.rstrip("/") + path, headers=self._headers(world, body), body=body)
        try:
            answer = exchange(asked, timeout=self.timeout, secrets=world.secrets)
        except (ExchangeError, DriverError) as error:
            raise ProbeError(str(error)) from None
        if not 200 <= answer.status < 300:  # noqa: PLR2004 - 2xx
            wrong = 400 <= answer.status < 500 and answer.status not in _PASSING  # noqa: PLR2004 - the client's fault
            kind = QueryError if wrong else ProbeError
            raise kind(f"{asked.shown}: it answers {answer.status}{_reason(answer.body, world)}")
        try:
            found = read_json(answer.body)
        except ValueError as error:
            raise QueryError(f"{asked.shown}: {error}") from None
        if not isinstance(found, dict):
            raise QueryError(f"{asked.shown}: the answer is no JSON object")
        return cast("Mapping[str, Any]", found)

    def _headers(self, world: World, body: str | None) -> dict[str, str]:
        headers = read_headers("headers", self.headers)
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        if self.user:
            try:
                login = f"{world.secrets.reveal(self.user)}:{world.secrets.reveal(self.password)}"
            except DriverError as error:
                raise ProbeError(str(error)) from None
            headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
        return headers


def _reason(body: bytes, world: World) -> str:
    """Return what an API says was wrong: ``{"reason": …}``, ``{"error": {"reason": …}}``, ``{"error": …}``, or a line of text."""
    try:
        found: object = read_json(body)
    except ValueError:
        found = body[:_SAID].decode(errors="replace").partition("\n")[0]
    for key in ("error", "reason", "message"):
        if isinstance(found, dict) and key in found:
            found = cast("dict[str, object]", found)[key]
    if not isinstance(found, str) or not found.strip():
        return ""
    line = "".join(c if c.isprintable() else "?" for c in found.strip()[:_SAID])
    return f": {world.secrets.mask(line)}"
