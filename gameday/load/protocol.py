"""The stream between the load child and its parent: the shapes of its messages, checked and bounded where they are read.

docs/run-folder.md lists the members of each message. In a pulse, ``bad`` counts the decided requests that failed (any kind but
``ok``), ``slower`` the ``ok`` ones that took a limit or longer, ``over`` those still in flight for longer than it, and ``capped``
those never sent: for one limit, all four together are the bad requests so far, none of them counted twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from gameday.load.shapes import is_list, is_object
from gameday.spi.errors import LoadError

LINE_LIMIT = 4 * 1024 * 1024
"""Bytes of the longest message that is read."""
TEXT_LIMIT = 500
"""Characters of a log message."""
SLOT_NS = 100_000_000
"""One slot of intended starts: 100 ms."""
OK = "ok"
CAPPED = "capped"
GENERATOR = "generator"
KINDS = frozenset(
    (OK, CAPPED, "http_4xx", "http_5xx", "timeout", "refused", "reset", "dns", "tls", "check", GENERATOR, "other"),
)
"""Every kind of outcome, as docs/run-folder.md lists them."""

Message = dict[str, Any]
_Test = Callable[[Any], bool]


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    """Whether it is a finite number, zero or more."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf")


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _counts(value: Any) -> bool:
    """Whether it is a mapping of whole numbers, as text, to counts."""
    return is_object(value) and all(key.isascii() and key.isdigit() and _count(n) for key, n in value.items())


def _kind(value: Any) -> bool:
    return isinstance(value, str) and value in KINDS


def _table(*columns: _Test) -> _Test:
    """Return the test for a list of rows with these columns."""

    def row(value: Any) -> bool:
        return (
            is_list(value)
            and len(value) == len(columns)
            and all(test(cell) for test, cell in zip(columns, value, strict=True))
        )

    def test(value: Any) -> bool:
        return is_list(value) and all(map(row, value))

    return test


_SHAPES: Mapping[str, Mapping[str, _Test]] = {
    "ready": {"pid": _count, "boot_s": _number, "locust": _text},
    "ack": {"cmd": _text},
    "agg": {
        "rows": _table(_integer, _text, _kind, _count, _counts),
        "hist": _table(_integer, _text, _count, _number, _counts),
    },
    "pulse": {
        "at_ms": _integer,
        "intended": _count,
        "sent": _count,
        "completed": _count,
        "capped": _count,
        "bad": _count,
        "in_flight": _count,
        "over": _counts,
        "slower": _counts,
    },
    "tick": {
        "at_ms": _integer,
        "started": _count,
        "late": _count,
        "lag_p99_ms": _number,
        "in_flight": _count,
        "oldest_in_flight_ms": _count,
        "capped": _count,
        "generator_errors": _count,
        "cpu": _number,
        "rss_mb": _number,
        "rate": _number,
    },
    "log": {"text": _text},
    "refused": {"text": _text},
    "bye": {"offered": _count, "completed": _count, "drained": _flag},
}
_OPTIONAL: Mapping[str, Mapping[str, _Test]] = {
    "ack": {"error": _text},
    "tick": {"users": _count, "workers": _count, "missing": _count},
}
"""Members that older streams lack."""
SAVED = frozenset(("agg", "tick", "log", "bye"))
"""What samples.ndjson keeps."""


def encode(message: Mapping[str, Any]) -> bytes:
    """Write one message as a line."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"


def parse_message(line: bytes) -> Message:
    """Read one line; raise LoadError when it is no message of ours, or too long."""
    if len(line) > LINE_LIMIT:
        raise LoadError(f"the load generator sent a message of more than {LINE_LIMIT} bytes")
    try:
        decoded: Any = json.loads(line)
    except (ValueError, RecursionError):
        raise LoadError(f"the load generator sent a line that is no JSON: {line[:80]!r}") from None
    return check_message(decoded)


def check_message(decoded: Any) -> Message:
    """Return a message that is one of ours; raise LoadError when it is not."""
    message = decoded if is_object(decoded) else {}
    shape = _SHAPES.get(str(message.get("t")))
    if shape is None:
        raise LoadError(f"the load generator sent an unknown message: {str(decoded)[:80]!r}")
    for name, test in shape.items():
        if name not in message or not test(message[name]):
            raise LoadError(f"the load generator sent a malformed message: {message['t']}.{name}")
    for name, test in _OPTIONAL.get(str(message["t"]), {}).items():
        if name in message and not test(message[name]):
            raise LoadError(f"the load generator sent a malformed message: {message['t']}.{name}")
    return message
