"""What an alert's expression asks for, where it has the usual form of a burn rate: a share over a window, compared with a number.

Known forms: a quotient of rates (``sum(rate(bad[1h])) / sum(rate(all[1h])) > 14.4 * 0.001``), also as ``1 - good / all`` or as
``good / all < 0.99``; a recorded ratio whose name ends with its window (``slo:sli_error:ratio_rate1h > 14.4 * 0.001``); several of
them joined by ``and`` and ``or``, within an aggregation or not. Whatever else there is asks for something that is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

_LONGEST = 20_000
_DEEPEST = 40
_DURATION = re.compile(r"(\d+)(ms|s|m|h|d|w|y)")
_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}
_RANGE = re.compile(r"\[\s*((?:\d+(?:ms|[smhdwy]))+)\s*\]")
_RATE = re.compile(r"\b(?:rate|increase|irate)\s*\(")
_RECORDED = re.compile(
    r"\s*[A-Za-z_:][\w:]*?(?:rate|ratio|increase)_?((?:\d+(?:ms|[smhdwy]))+)\s*(?:\{.*\})?\s*", re.DOTALL
)
_AGGREGATION = re.compile(r"\s*(?:max|min|avg|sum|group)\s*(?:(?:by|without)\s*\([^()]*\)\s*)?(?=\()")
_GROUPED = re.compile(r"\s*(?:(?:by|without)\s*\([^()]*\))?\s*")
_MATCHING = re.compile(r"\s*(?:(?:on|ignoring|group_left|group_right)\s*\([^()]*\)\s*)*")
_NUMBER = re.compile(r"\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?")
_WORD = re.compile(r"[A-Za-z_:][\w:]*")
_QUOTES = "\"'`"
_COMPARES = (">=", "<=", "==", "!=", ">", "<")


@dataclass(frozen=True, slots=True)
class Burn:
    """The share of bad ones over a window must exceed a threshold."""

    threshold: float
    window_ms: int


@dataclass(frozen=True, slots=True)
class Every:
    """All of these at once."""

    parts: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Any of these."""

    parts: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that is not known here: nothing follows from it."""


Need: TypeAlias = Burn | Every | Either | Unknown


def read_need(expression: str) -> Need:
    """Read what an expression asks for; Unknown for every form that is not known, and never an error."""
    if len(expression) > _LONGEST:
        return Unknown()
    try:
        return _need(_without_comments(expression), 0)
    except (ValueError, RecursionError, OverflowError, ZeroDivisionError):
        return Unknown()


def burns(need: Need) -> Iterator[Burn]:
    """Yield every burn rate of it."""
    if isinstance(need, Burn):
        yield need
    elif isinstance(need, (Every, Either)):
        for part in need.parts:
            yield from burns(part)


def _without_comments(text: str) -> str:
    """Return the expression with each comment, ``#`` to the end of its line, left out; it may stand in a quoted text."""
    kept: list[str] = []
    quote, comment = "", False
    for char in text:
        comment = comment and char != "\n"
        if not comment and quote:
            quote = "" if char == quote else quote
        elif not comment and char in _QUOTES:
            quote = char
        comment = comment or (char == "#" and not quote)
        kept.append(" " if comment else char)
    return "".join(kept)


def _need(text: str, depth: int) -> Need:
    if depth > _DEEPEST:
        raise ValueError("too deep")
    text = _bare(text)
    for word, joined in (("or", Either), ("and", Every)):
        parts = _split(text, word)
        if len(parts) > 1:
            return joined(tuple(_need(part, depth + 1) for part in parts))
    kept = _split(text, "unless")
    if len(kept) > 1:
        return _need(kept[0], depth + 1)
    compared = _compared(text)
    if compared is not None:
        return _burn(*compared)
    inner = _inner(text)
    return Unknown() if inner is None else _need(inner, depth + 1)


def _burn(left: str, op: str, right: str) -> Need:
    window = _window(left)
    if window is None or op not in (">", ">=", "<", "<="):
        return Unknown()
    limit = _number(right)
    if op in ("<", "<="):
        limit = 1 - limit
    return Burn(limit, window) if 0 < limit < 1 else Unknown()


def _window(left: str) -> int | None:
    """Return the window of a share in milliseconds; None for what is no share over one window."""
    left = re.sub(r"^\s*1\s*-\s*", "", _bare(left))
    inner = _inner(_bare(left))
    for text in (_bare(left), _bare(inner or "")):
        if (recorded := _RECORDED.fullmatch(text)) is not None:
            return _duration(recorded[1])
        windows = {_duration(found) for found in _RANGE.findall(text)}
        if len(windows) == 1 and _outside(text, "/") and _RATE.search(text):
            return windows.pop()
    return None


def _inner(text: str) -> str | None:
    """Return what an aggregation is of; None for anything else."""
    head = _AGGREGATION.match(text)
    if head is None:
        return None
    end = next((at for at, char, depth in _scan(text) if at > head.end() and depth == 0 and char == ")"), None)
    return text[head.end() + 1 : end] if end is not None and _GROUPED.fullmatch(text, end + 1) else None


def _outside(text: str, char: str) -> bool:
    return any(found == char for _, found in _top(text))


def _duration(text: str) -> int:
    return sum(int(number) * _MS[unit] for number, unit in _DURATION.findall(text))


def _compared(text: str) -> tuple[str, str, str] | None:
    """Return both sides of a comparison outside of all brackets, the number on the right; None without one."""
    found = next((at for at, char in _top(text) if char in "<>=!"), None)
    if found is None:
        return None
    op = next((op for op in _COMPARES if text.startswith(op, found)), "")
    left, right = text[:found], text[found + len(op) :]
    if _is_number(left):
        left, right, op = right, left, op.translate(str.maketrans("<>", "><"))
    return (left, op, right) if op and _is_number(right) else None


def _is_number(text: str) -> bool:
    try:
        _number(text)
    except (ValueError, ZeroDivisionError):
        return False
    return True


def _number(text: str) -> float:
    """Return the value of arithmetic on plain numbers; raise ValueError for anything else."""
    tokens = re.findall(r"\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|[-+*/()]|\S", text)
    value, rest = _sum(tokens)
    if rest:
        raise ValueError(f"not arithmetic: {text[:60]}")
    return value


def _sum(tokens: Sequence[str]) -> tuple[float, Sequence[str]]:
    value, tokens = _product(tokens)
    while tokens and tokens[0] in "+-":
        other, rest = _product(tokens[1:])
        value, tokens = (value + other if tokens[0] == "+" else value - other), rest
    return value, tokens


def _product(tokens: Sequence[str]) -> tuple[float, Sequence[str]]:
    value, tokens = _atom(tokens)
    while tokens and tokens[0] in "*/":
        other, rest = _atom(tokens[1:])
        value, tokens = (value * other if tokens[0] == "*" else value / other), rest
    return value, tokens


def _atom(tokens: Sequence[str]) -> tuple[float, Sequence[str]]:
    if tokens and tokens[0] == "(":
        value, rest = _sum(tokens[1:])
        if not rest or rest[0] != ")":
            raise ValueError("a bracket is open")
        return value, rest[1:]
    if not tokens or not _NUMBER.fullmatch(tokens[0]):
        raise ValueError("no number")
    return float(tokens[0]), tokens[1:]


def _scan(text: str) -> Iterator[tuple[int, str, int]]:
    """Yield each character outside of quotes with the number of brackets that are open after it; raise ValueError for one too many."""
    depth, quote, skip = 0, "", False
    for at, char in enumerate(text):
        if skip:
            skip = False
        elif quote:
            skip = char == "\\" and quote != "`"
            quote = "" if char == quote else quote
        elif char in _QUOTES:
            quote = char
        else:
            depth += (char in "([{") - (char in ")]}")
            if depth < 0:
                raise ValueError("a bracket too many")
            yield at, char, depth
    if depth or quote:
        raise ValueError("a bracket or a quote is open")


def _top(text: str) -> Iterator[tuple[int, str]]:
    """Yield each character that is outside of all brackets and quotes."""
    return ((at, char) for at, char, depth in _scan(text) if depth == 0 and char not in ")]}")


def _closes(text: str) -> bool:
    """Whether a text is one bracket from its first character to its last."""
    end = next((at for at, char, depth in _scan(text) if depth == 0 and char in ")]}"), None)
    return text[:1] in tuple("([{") and end == len(text) - 1


def _bare(text: str) -> str:
    """Return a text without the brackets around all of it."""
    text = text.strip()
    for _ in range(_DEEPEST):
        if not text.startswith("(") or not _closes(text):
            break
        text = text[1:-1].strip()
    return text


def _split(text: str, word: str) -> list[str]:
    """Split at a word outside of all brackets; what says how both sides are matched goes with it."""
    outside = {at for at, _ in _top(text)}
    parts: list[str] = []
    begin = 0
    for match in _WORD.finditer(text):
        if match[0].lower() == word and match.start() in outside and match.start() >= begin:
            parts.append(text[begin : match.start()])
            matching = _MATCHING.match(text, match.end())
            begin = matching.end() if matching else match.end()
    return [*parts, text[begin:]]
