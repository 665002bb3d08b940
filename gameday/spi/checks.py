"""The small language of ``check:``, what a good answer must look like: ``status == 200``, ``json.state == "ok"``, ``latency < 2s``.

    status OP NUMBER          the HTTP status
    json.a.b OP VALUE         a member of the JSON body; a number selects from a list: json.items.0.id
    body contains "TEXT"      or == or !=, on the whole body as text
    header.NAME OP "TEXT"     the first header of that name
    latency < DURATION        from the intended start to the end of the body

OP is one of == != < <= > >= contains. VALUE is a JSON string, number, true, false or null. Nothing is ever evaluated as code.
The load and the http driver share it.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

from gameday.spi.quantities import parse_duration

Subject = Literal["status", "json", "body", "header", "latency"]
CheckOperator = Literal["==", "!=", "<", "<=", ">", ">=", "contains"]
Scalar = str | int | float | bool | None

_CHECK = re.compile(
    r"(?P<subject>[A-Za-z]+)(?P<path>(?:\.[\w-]+)*)\s*(?P<op>==|!=|<=|>=|<|>|\bcontains\b)\s*(?P<value>\S.*)", re.DOTALL
)
_ORDER = ("<", "<=", ">", ">=")
_MISSING = object()
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FORMS = 'status == 200, json.state == "ok", body contains "text", header.Content-Type contains "json" or latency < 2s'


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of ``check:``."""

    text: str
    """As written."""
    subject: Subject
    path: tuple[str, ...] = ()
    """Members below ``json``, or the one header's name in lower case."""
    op: CheckOperator
    value: Scalar
    """What to compare with; for ``latency``, whole microseconds."""


def parse_check(text: str) -> Check:
    """Read one check; raise ValueError that says what would do."""
    match = _CHECK.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a check: {text!r}; write one like {_FORMS}")
    subject, op = match["subject"], match["op"]
    path = tuple(part for part in match["path"].split(".") if part)
    if subject not in ("status", "json", "body", "header", "latency"):
        raise ValueError(f"unknown subject {subject!r} of the check {text!r}; write one like {_FORMS}")
    if subject == "header" and len(path) != 1:
        raise ValueError(f"the check {text!r} must name one header, like header.Content-Type")
    if subject not in ("json", "header") and path:
        raise ValueError(f"{subject} has no members; write {subject} {op} …")
    if subject == "header":
        path = (path[0].lower(),)
    value = _latency(text, op, match["value"]) if subject == "latency" else _scalar(text, subject, op, match["value"])
    return Check(text=text.strip(), subject=subject, path=path, op=op, value=value)  # type: ignore[arg-type]


def _latency(text: str, op: str, value: str) -> int:
    if op not in ("<", "<="):
        raise ValueError(f"latency needs an upper limit in the check {text!r}: write latency < {value}")
    return parse_duration(value) * 1000


def _scalar(text: str, subject: str, op: str, raw: str) -> Scalar:
    """Read the right-hand side, and refuse what could never hold."""
    try:
        value: object = json.loads(raw)
    except ValueError:
        raise ValueError(
            f'not a value: {raw} in the check {text!r}; write a number, true, false, null or a text in quotes like "ok"'
        ) from None
    if value is not None and not isinstance(value, (str, int, float)):
        raise ValueError(
            f"the check {text!r} compares with a list or a mapping; compare one member: json.items.0.id == 1"
        )
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if subject == "status" and (not isinstance(value, int) or isinstance(value, bool) or op == "contains"):
        raise ValueError(f"status is a whole number: write status == 200, not {text!r}")
    if subject in ("body", "header") and (not isinstance(value, str) or op in _ORDER):
        raise ValueError(
            f'{subject} is text: write ==, != or contains and a text in quotes, like body contains "ok", not {text!r}'
        )
    if op in _ORDER and not number:
        raise ValueError(f"{op} compares numbers only; the check {text!r} has {raw}")
    if op == "contains" and not isinstance(value, str):
        raise ValueError(f"contains needs a text in quotes; the check {text!r} has {raw}")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back for one request."""

    status: int
    latency_us: int
    """From the intended start to the end of the body."""
    headers: Mapping[str, str]
    """Names in lower case; the first of each name."""
    body: bytes


def failed_check(checks: Sequence[Check], answer: Answer) -> Check | None:
    """Return the first check that the answer does not meet, or None when it meets all."""
    return next((check for check in checks if not holds(check, answer)), None)


def holds(check: Check, answer: Answer) -> bool:
    """Whether one check holds; a member or a header that is missing meets no check, not even ``!=``."""
    found = _found(check, answer)
    if found is _MISSING:
        return False
    if check.op == "contains":
        return isinstance(found, str) and str(check.value) in found
    if check.op in ("==", "!="):
        return _equal(found, check.value) == (check.op == "==")
    return isinstance(found, (int, float)) and not isinstance(found, bool) and _COMPARE[check.op](found, check.value)


def _equal(left: object, right: object) -> bool:
    """Compare as JSON does: 1 equals 1.0, but true is not 1."""
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def _found(check: Check, answer: Answer) -> Any:
    match check.subject:
        case "status":
            return answer.status
        case "latency":
            return answer.latency_us
        case "header":
            return answer.headers.get(check.path[0], _MISSING)
        case "body":
            return answer.body.decode(errors="replace")
        case "json":
            return _member(answer.body, check.path)


def _member(body: bytes, path: Sequence[str]) -> Any:
    """Return the member of a JSON document at ``path``, or _MISSING; a body that is no JSON has no members."""
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return _MISSING
    for part in path:
        found = _step(found, part)
    return found


def _step(found: Any, part: str) -> Any:
    if _is_object(found):
        return found.get(part, _MISSING)
    if _is_list(found) and part.isdecimal() and int(part) < len(found):
        return found[int(part)]
    return _MISSING


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)
