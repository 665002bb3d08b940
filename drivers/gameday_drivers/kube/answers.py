"""What an API server says when it does not do what it was asked, and what it is when it says nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gameday.spi import DriverError

SAID = 300
"""Characters of what others say that an error repeats."""


class KubeError(DriverError):
    """The API server refused, or did not answer."""

    def __init__(self, message: str, *, status: int = 0, hint: str = "", wait: float = 0.0) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        """The HTTP status; 0 without an answer."""
        self.wait = wait
        """After how many seconds the server wants to be asked again (Retry-After); 0 when it does not say so."""


def refused(asked: str, error: Any) -> KubeError:
    """Return what the client's ApiException says, with a status; ``asked`` is the method and the path."""
    try:
        said = str(json.loads(error.body)["message"])
    except (ValueError, KeyError, TypeError):
        said = ""
    words = "".join(c if c.isprintable() else " " for c in said)[:SAID]
    headers: Mapping[str, Any] = error.headers or {}
    message = f"the API server answers {int(error.status)} to {asked}{': ' if words else ''}{words}"
    return KubeError(message, status=int(error.status), wait=_seconds(headers.get("Retry-After")))


def silent(server: str, why: str) -> KubeError:
    """Return the error of a server that gave no answer."""
    return KubeError(f"no answer from the API server {server}: {why}")


def plain(error: Exception, seconds: float) -> str:
    """Say in a few words why there was no answer within so many seconds."""
    kind = type(error).__name__
    if "Timeout" in kind:
        return f"nothing within {seconds:g} s"
    return "connection refused" if "refused" in str(error) else kind


def _seconds(said: object) -> float:
    """Read a Retry-After; 0 for none, and for a date, which no API server says."""
    text = str(said or "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0  # noqa: PLR2004 - seconds of a day
