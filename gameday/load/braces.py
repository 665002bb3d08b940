"""Which texts of a file are templates, told without a template engine: the parent checks braces, the load child the rest."""

from __future__ import annotations

import re
from typing import Any

from gameday.load.shapes import is_list, is_object
from gameday.spi.errors import LoadError

_OPEN, _CLOSE = "{{", "}}"
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def is_template(text: str) -> bool:
    """Whether something in it is put in for each request anew."""
    return _OPEN in text


def literal(text: str) -> str:
    """Return the template whose result is this text."""
    return "{{ " + repr(text) + " }}"


def any_template(value: Any) -> bool:
    """Whether any text of a JSON value is a template; keys never are."""
    if isinstance(value, str):
        return is_template(value)
    if is_list(value):
        return any(map(any_template, value))
    return is_object(value) and any(map(any_template, value.values()))


def placeheld(value: Any, where: str) -> Any:
    """Return a JSON value with ``0`` in the place of each ``{{ … }}``; raise LoadError where braces are not closed."""
    if isinstance(value, str):
        return _placeheld(value, where)
    if is_list(value):
        return [placeheld(item, where) for item in value]
    if is_object(value):
        return {key: placeheld(item, where) for key, item in value.items()}
    return value


def _placeheld(text: str, where: str) -> str:
    plain = _EXPRESSION.sub("0", text)
    if _OPEN in plain:
        raise LoadError(f"{where} opens {_OPEN} and never closes it", hint=f"close it: {_OPEN} pick(NAME) {_CLOSE}")
    return plain
