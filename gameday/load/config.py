"""From the file's load profile to the child's configuration: one JSON object, handed over on its standard input, never in its argv."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gameday.load.braces import is_template, literal
from gameday.load.shapes import is_list, is_object
from gameday.schema.experiment import LoadProfile, Request
from gameday.spi.errors import LoadError

_REFERENCE = re.compile(r"\$\{\w+\}")

Reveal = Callable[[str], str]
"""Puts the values of secrets in the place of ``${name}``."""


def profile_config(
    profile: LoadProfile, reveal: Reveal, data: Mapping[str, Sequence[Any]] | None = None
) -> dict[str, Any]:
    """Return the part of the configuration that the file decides, secrets put in."""
    config: dict[str, Any] = {
        "target": reveal(profile.target),
        "open": profile.open_model,
        "curve": curve_config(profile),
        "spawn_rate": profile.spawn_rate,
        "arrivals": profile.arrivals,
        "timeout_ms": profile.timeout,
        "verify_tls": profile.verify_tls,
        "headers": _headers(profile.headers, reveal),
        "cap": profile.cap,
        "cap_fixed": profile.max_in_flight is not None,
        "allow_hosts": None if profile.allow_hosts is None else list(profile.allow_hosts),
        "processes": profile.processes,
        "share": [0, 1],
        "data": {name: list(values) for name, values in (data or {}).items()},
        "requests": [_request(request, reveal) for request in profile.requests or ()],
        "locust": None if profile.locustfile is None else _locust(profile, reveal),
    }
    return config


def curve_config(profile: LoadProfile) -> dict[str, Any]:
    """Return the level over time: ``legs`` of [from ms, to ms, level, level] one after the other, and the ``last`` level."""
    return {"legs": [list(piece) for piece in profile.curve.pieces], "last": profile.curve.last}


def _locust(profile: LoadProfile, reveal: Reveal) -> dict[str, Any]:
    workers = profile.workers
    return {
        "file": profile.locustfile,
        "shape": bool(profile.shape),
        "tags": list(profile.tags),
        "exclude_tags": list(profile.exclude_tags),
        "classes": list(profile.classes),
        "args": list(profile.args),
        "env": {name: reveal(value) for name, value in profile.env.items()},
        "hidden": _secrets((*profile.env.values(), *profile.headers.values()), reveal),
        "workers": None if workers is None else {"expect": workers.expect, "bind": workers.bind, "port": workers.port},
    }


def _secrets(texts: Iterable[str], reveal: Reveal) -> list[str]:
    """Return the values of all secrets in these texts: nothing that the locustfile prints may show them."""
    return sorted({reveal(name) for text in texts for name in _REFERENCE.findall(text)} - {""}, key=len, reverse=True)


def _request(request: Request, reveal: Reveal) -> dict[str, Any]:
    return {
        "name": request.name,
        "weight": request.weight,
        "method": request.method,
        "path": _text(request.path, reveal),
        "json": _revealed(request.json_, reveal),
        "body": None if request.body is None else _text(request.body, reveal),
        "headers": _headers(request.headers, reveal),
        "check": list(request.check),
    }


def _headers(headers: Mapping[str, str], reveal: Reveal) -> dict[str, str]:
    return {name: _text(value, reveal) for name, value in headers.items()}


def _revealed(value: Any, reveal: Reveal) -> Any:
    """Put secrets into every text of a JSON value; keys stay as they are."""
    if isinstance(value, str):
        return _text(value, reveal)
    if is_list(value):
        return [_revealed(item, reveal) for item in value]
    if is_object(value):
        return {key: _revealed(item, reveal) for key, item in value.items()}
    return value


def _text(text: str, reveal: Reveal) -> str:
    """Put secrets in; the value of a secret is never a template, whatever it looks like."""
    revealed = reveal(text)
    if revealed == text or not is_template(revealed):
        return revealed
    if not is_template(text):
        return literal(revealed)
    if any(revealed.count(mark) != text.count(mark) for mark in ("{{", "}}", "{%", "%}", "{#", "#}")):
        raise LoadError("a secret with braces cannot stand in the same text as {{ … }}", hint="send it in a header")
    return revealed
