"""As much PromQL as is needed to take an expression apart: which series it selects, and whether it is a sum of counters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_TOKEN = re.compile(
    r"""\s+ | \#[^\n]*
    | (?P<braces>\{(?:[^{}"'`] | "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | `[^`]*`)*\})
    | (?P<range>\[[^\]]*\])
    | (?P<text>"(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | `[^`]*`)
    | (?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
    | (?P<number>[0-9.][0-9A-Za-z_.]*)
    | (?P<sign>[-+*/%^()=!<>~,@])""",
    re.VERBOSE,
)
_LABELS = frozenset(("by", "without", "on", "ignoring", "group_left", "group_right"))
_WORDS = frozenset(("and", "or", "unless", "atan2", "bool", "offset", "inf", "nan", "start", "end"))
_LONGEST = 4_000
COUNTER = 'write the counter itself, like http_requests_total{code=~"5.."}, or a sum of such: it is differenced here'

Token = tuple[str, str]
"""(kind, text); the kind of a sign is the sign."""


def tokens(expression: str) -> list[Token]:
    """Split an expression; raise ValueError where it cannot be PromQL."""
    if not expression.strip() or len(expression) > _LONGEST:
        raise ValueError(f"is not an expression of 1 to {_LONGEST} characters")
    found: list[Token] = []
    at = 0
    while at < len(expression):
        match = _TOKEN.match(expression, at)
        if match is None:
            raise ValueError(f"is not PromQL from {expression[at : at + 20]!r} on")
        at = match.end()
        if match.lastgroup is not None:
            found.append((match[0] if match.lastgroup == "sign" else match.lastgroup, match[0]))
    return found


def selectors(expression: str) -> tuple[str, ...]:
    """Return every series selector in an expression, without ranges and offsets; none of ``vector(1)``."""
    return tuple(dict.fromkeys(_selectors(tokens(expression))))


def _selectors(parts: Sequence[Token]) -> Iterator[str]:
    at = 0
    while at < len(parts):
        kind, text = parts[at]
        following = parts[at + 1] if at + 1 < len(parts) else ("", "")
        if kind == "name" and text in _LABELS:
            at = _after(parts, at + 1)
        elif kind == "name" and following[0] == "braces":
            yield text + following[1]
            at += 2
        elif kind == "braces" or (kind == "name" and text.lower() not in _WORDS and not _called(following)):
            yield text
            at += 1
        else:
            at += 1


def _called(following: Token) -> bool:
    """Whether a name before this is a function or an aggregation."""
    return following[0] == "(" or following in (("name", "by"), ("name", "without"))


def _after(parts: Sequence[Token], at: int) -> int:
    """Return the index after a list of labels in parentheses; ``at`` itself where there is none."""
    if at >= len(parts) or parts[at][0] != "(":
        return at
    while at < len(parts) and parts[at][0] != ")":
        at += 1
    return at + 1


def counters(expression: str) -> tuple[str, ...]:
    """Return the selectors of a sum of counters: ``a``, ``sum(a)``, ``sum by (code) (a) + sum(b{…})``.

    Raises ValueError that says what would do for anything else, ``rate(a[1m])`` above all: it is no longer a counter.
    """
    parts = tokens(expression)
    reader = _Sum(parts)
    found = reader.terms()
    if reader.at < len(parts):
        raise ValueError(f"is not a sum of counters from {parts[reader.at][1]!r} on; {COUNTER}")
    return found


class _Sum:
    """Reads a sum of counters from left to right."""

    def __init__(self, parts: Sequence[Token]) -> None:
        self._parts = parts
        self.at = 0

    def _kind(self) -> str:
        return self._parts[self.at][0] if self.at < len(self._parts) else ""

    def _take(self, kind: str) -> str:
        if self._kind() != kind:
            raise ValueError(f"is not a sum of counters: there is no {kind!r} where it should be; {COUNTER}")
        self.at += 1
        return self._parts[self.at - 1][1]

    def terms(self) -> tuple[str, ...]:
        found = self._term()
        while self._kind() == "+":
            self.at += 1
            found += self._term()
        return found

    def _term(self) -> tuple[str, ...]:
        if self._kind() == "(":
            return self._inside()
        if self._kind() == "braces":
            return (self._take("braces"),)
        name = self._take("name")
        if self._kind() == "braces":
            return (name + self._take("braces"),)
        if name == "sum":
            self._labels()
            found = self._inside()
            self._labels()
            return found
        if self._kind() == "(":
            raise ValueError(f"is not a counter: {name}() makes something else of it; {COUNTER}")
        return (name,)

    def _inside(self) -> tuple[str, ...]:
        self._take("(")
        found = self.terms()
        self._take(")")
        return found

    def _labels(self) -> None:
        """Skip ``by (…)``: everything is added up in the end."""
        if self.at < len(self._parts) and self._parts[self.at] in (("name", "by"), ("name", "without")):
            self.at = _after(self._parts, self.at + 1)
