"""The kinds of text that the file's fields hold: names, addresses, URLs, headers, objectives and abort rules.

Each check is a plain function that raises ValueError with a message and, after a semicolon, what would do. A field that
still holds ``${name}`` refers to a secret, which nothing here can see: its form is checked when it is used.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, cast

from gameday.schema.grammar import AbortRule, Criterion, parse_abort, parse_criterion
from gameday.schema.marks import Before, Check, Form, Read, Write
from gameday.schema.quantities import shown
from gameday.schema.templates import without_templates
from gameday.spi.checks import parse_check

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_HOST_PORT = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):([0-9]{1,5})")
_URL = re.compile(r"https?://[^\s/?#\\]+[^\s\\]*", re.IGNORECASE)
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LINE_BREAK = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
_LONGEST_LINE = 500
_LONGEST_DATA = 10_000
_HIGHEST_PORT = 65_535


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"not a name: {shown(text)}; write letters, digits, '.', '_' and '-', at most 63")
    return text


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise ValueError(f"not a name: {shown(text)}; write letters, digits and '_', not beginning with a digit")
    return text


def _scalars(value: object) -> object:
    items = cast("Sequence[object]", value) if isinstance(value, (list, tuple)) else ()
    if not items or any(not isinstance(item, (str, int, float)) for item in items):
        raise ValueError("must be a list of texts, numbers, true and false; write [A1, B2]")
    if len(items) > _LONGEST_DATA:
        raise ValueError(f"has too many entries; write at most {_LONGEST_DATA:,}")
    return tuple(items)


def _one_line(text: str) -> str:
    line = text.strip()
    if not line or _LINE_BREAK.search(line) or len(line) > _LONGEST_LINE:
        raise ValueError(f"must be one line of text, at most {_LONGEST_LINE} characters")
    return line


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("a process cannot be given a NUL character")
    return text


def _host_port(text: str) -> str:
    match = _HOST_PORT.fullmatch(text)
    if "${" not in text and (match is None or not 0 < int(match[1]) <= _HIGHEST_PORT):
        raise ValueError(f"not an address: {shown(text)}; write host:port, like 127.0.0.1:8080")
    return text


def _url(text: str) -> str:
    if "${" not in text and not _URL.fullmatch(text):
        raise ValueError(f"not a URL: {shown(text)}; write one like http://127.0.0.1:8080")
    return text


def _path(text: str) -> str:
    fixed = without_templates(text)
    rooted = fixed.startswith("/") and not fixed.startswith("//") and not re.search(r"[\s\\\x00-\x1f]", fixed)
    if not rooted and "${" not in text and "{{" not in fixed and not _URL.fullmatch(fixed):
        raise ValueError(f"not a path: {shown(text)}; write a path like /checkout, or a whole URL")
    return text


def _header_name(text: str) -> str:
    if not _HEADER.fullmatch(text):
        raise ValueError(f"not a header's name: {shown(text)}")
    return text


def _header_value(text: str) -> str:
    if _LINE_BREAK.search(text):
        raise ValueError("a header's value is one line")
    return text


def _env_name(text: str) -> str:
    if not text or "=" in text:
        raise ValueError(f"not the name of an environment variable: {shown(text)}")
    return _no_nul(text)


def _pattern(text: str) -> str:
    if len(text) > _LONGEST_LINE:
        raise ValueError(f"too long for a regular expression: at most {_LONGEST_LINE} characters")
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return text


def _check(text: str) -> str:
    if len(text) > _LONGEST_LINE:
        raise ValueError(f"too long for a check: {shown(text)}; at most {_LONGEST_LINE} characters")
    parse_check(text)
    return text.strip()


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _criteria(value: object) -> tuple[Criterion, ...]:
    lines = [line for line in value.splitlines() if line.strip()] if isinstance(value, str) else []
    if not lines:
        raise ValueError("not an objective; write one like errors < 0.5%, several lines mean 'and'")
    return tuple(parse_criterion(line) for line in lines)


def _written(criteria: tuple[Criterion, ...]) -> str:
    return "\n".join(criterion.text for criterion in criteria)


def _rule_text(rule: AbortRule) -> str:
    return rule.text


def _abort(value: object) -> AbortRule:
    return parse_abort(value if isinstance(value, str) else "")


Name = Annotated[str, Check(_name)]
"""What a section calls its entries: safe as a file's name and in a terminal."""
Word = Annotated[str, Check(_word)]
"""A name that templates and objectives can speak of: letters, digits and '_'."""
DataList = Annotated[
    tuple[Any, ...],
    Read(_scalars),
    Form({"type": "array", "minItems": 1, "items": {"type": ["string", "number", "boolean"]}}),
]
"""Texts, numbers and truth values that requests pick from."""
Line = Annotated[str, Check(_one_line)]
Argument = Annotated[str, Check(_no_nul)]
HostPort = Annotated[str, Check(_host_port)]
Url = Annotated[str, Check(_url)]
PathOrUrl = Annotated[str, Check(_path)]
CheckLine = Annotated[str, Check(_check)]
Pattern = Annotated[str, Check(_pattern)]
Headers = dict[Annotated[str, Check(_header_name)], Annotated[str, Check(_header_value)]]
Environment = dict[Annotated[str, Check(_env_name)], Argument]
OneOrMore = Annotated[
    tuple[Line, ...],
    Before(_listed),
    Form(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]},
    ),
]
"""One name, or a list of them."""
Criteria = Annotated[
    tuple[Criterion, ...],
    Read(_criteria),
    Write(_written),
    Form({"type": "string", "examples": ["errors < 0.5%", "p95 < 300ms"]}),
]
Abort = Annotated[
    Any,
    Read(_abort),
    Write(_rule_text),
    Form({"type": "string", "examples": ["errors lose 1.5s of traffic beyond 50%"]}),
]
