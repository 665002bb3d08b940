"""Whether an answer meets the checks of its request."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gameday.load.shapes import is_list, is_object
from gameday.schema.checks import Check

_MISSING = object()
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


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
    if is_object(found):
        return found.get(part, _MISSING)
    if is_list(found) and part.isdecimal() and int(part) < len(found):
        return found[int(part)]
    return _MISSING
