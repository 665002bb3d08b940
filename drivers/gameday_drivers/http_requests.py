"""Requests as the file writes them: ``{post: URL, json: …, headers: …, check: [status == 200]}``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from gameday.spi.checks import Check, parse_check
from gameday_drivers.http_exchange import Asked

METHODS = ("get", "post", "put", "patch", "delete")
_KEYS = (*METHODS, "json", "body", "headers", "check")
_URL = re.compile(r"https?://[^\s/?#\\@]+(?:[/?#][^\s\\]*)?", re.IGNORECASE)
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, and what a good answer to it looks like."""

    asked: Asked
    checks: tuple[Check, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a plan keeps it: secrets stay references."""
        return {
            "method": self.asked.method,
            "url": self.asked.url,
            "headers": dict(self.asked.headers),
            "body": self.asked.body,
            "check": [check.text for check in self.checks],
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Call:
        """As a plan gives it back; raise ``KeyError`` when a part is missing."""
        asked = Asked(method=raw["method"], url=raw["url"], headers=dict(raw["headers"]), body=raw["body"])
        return cls(asked=asked, checks=tuple(parse_check(line) for line in raw["check"]))


def read_call(name: str, raw: Mapping[str, Any]) -> Call:
    """Read a request; raise ValueError that begins with ``name`` and says what would do."""
    unknown = [key for key in raw if key not in _KEYS]
    if unknown:
        raise ValueError(f"{name} has no {unknown[0]!r}; known: {', '.join(_KEYS)}")
    methods = [method for method in METHODS if method in raw]
    if len(methods) != 1:
        raise ValueError(f"{name} needs exactly one of {', '.join(METHODS)}; write {{post: http://HOST/PATH}}")
    if "json" in raw and "body" in raw:
        raise ValueError(f"{name} has both json and body; keep one")
    headers, body = read_headers(name, raw.get("headers", {})), _body(name, raw)
    if "json" in raw and "content-type" not in {key.lower() for key in headers}:
        headers["Content-Type"] = "application/json"
    asked = Asked(method=methods[0].upper(), url=read_url(name, raw[methods[0]]), headers=headers, body=body)
    return Call(asked=asked, checks=_checks(name, raw.get("check", ())))


def read_url(name: str, raw: object) -> str:
    """Return a URL; what holds ``${secret}`` is looked at when it is used."""
    if not isinstance(raw, str) or ("${" not in raw and not _URL.fullmatch(raw)):
        raise ValueError(f"{name} is not a URL: {str(raw)[:80]!r}; write one like http://127.0.0.1:8080/queue")
    return raw


def read_headers(name: str, raw: object) -> dict[str, str]:
    """Return headers as text; raise ValueError for what no header can be."""
    if not isinstance(raw, Mapping):
        raise ValueError(f"{name} has headers that are no mapping; write headers: {{NAME: VALUE}}")  # noqa: TRY004 - the file
    headers: dict[str, str] = {}
    for key, value in cast("Mapping[object, object]", raw).items():
        if not isinstance(key, str) or not _HEADER.fullmatch(key):
            raise ValueError(f"{name} has a header without a proper name: {str(key)[:80]!r}")
        if not isinstance(value, str) or _CONTROL.search(value):
            raise ValueError(f"{name} has a header {key} that is not one line of text; quote it")
        headers[key] = value
    return headers


def _body(name: str, raw: Mapping[str, Any]) -> str | None:
    if "json" in raw:
        return json.dumps(_plain(raw["json"]), ensure_ascii=False)
    body = raw.get("body")
    if body is not None and not isinstance(body, str):
        raise ValueError(f"{name} has a body that is not text; write json: for anything else")
    return body


def _plain(value: Any) -> Any:
    """Undo what the loader did to lists, which arrive as tuples."""
    match value:
        case {**members}:
            return {str(key): _plain(member) for key, member in members.items()}
        case [*items]:
            return [_plain(item) for item in items]
        case _:
            return value


def _checks(name: str, raw: object) -> tuple[Check, ...]:
    lines: Sequence[object] = (raw,) if isinstance(raw, str) else cast("Sequence[object]", raw)
    if not isinstance(lines, (list, tuple)) or not all(isinstance(line, str) for line in lines):
        raise ValueError(f"{name} has a check that is no text; write check: [status == 200]")
    try:
        return tuple(parse_check(str(line)) for line in lines)
    except ValueError as error:
        raise ValueError(f"{name} has a wrong check: {error}") from None
