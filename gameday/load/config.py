"""From the file's load profile to the child's configuration: one JSON object, handed over on its standard input, never in its argv."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gameday.load.shapes import is_list, is_object
from gameday.schema.experiment import LoadProfile, Request

Reveal = Callable[[str], str]
"""Puts the values of secrets in the place of ``${name}``."""


def profile_config(profile: LoadProfile, reveal: Reveal) -> dict[str, Any]:
    """Return the part of the configuration that the profile decides, secrets put in."""
    return {
        "target": reveal(profile.target),
        "rate": profile.rate,
        "arrivals": profile.arrivals,
        "timeout_ms": profile.timeout,
        "verify_tls": profile.verify_tls,
        "headers": {name: reveal(value) for name, value in profile.headers.items()},
        "requests": [_request(request, reveal) for request in profile.requests or ()],
        "cap": profile.cap,
        "allow_hosts": None if profile.allow_hosts is None else list(profile.allow_hosts),
    }


def _request(request: Request, reveal: Reveal) -> dict[str, Any]:
    return {
        "name": request.name,
        "weight": request.weight,
        "method": request.method,
        "path": reveal(request.path),
        "json": _revealed(request.json_, reveal),
        "body": None if request.body is None else reveal(request.body),
        "headers": {name: reveal(value) for name, value in request.headers.items()},
        "check": list(request.check),
    }


def _revealed(value: Any, reveal: Reveal) -> Any:
    """Put secrets into every text of a JSON value; keys stay as they are."""
    if isinstance(value, str):
        return reveal(value)
    if is_list(value):
        return [_revealed(item, reveal) for item in value]
    if is_object(value):
        return {key: _revealed(item, reveal) for key, item in value.items()}
    return value
