"""Values put into requests for each of them anew: ``{{ pick(skus) }}``. Load child only: imports jinja2.

Templates run in jinja2's sandbox, with StrictUndefined, nothing of jinja2's own globals, the lists of the file's ``data:`` and
four functions: ``pick(list)``, ``counter()`` (1, 2, 3 … across all load generators), ``uuid()`` and ``randint(a, b)``, seeded
by the run.
"""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from random import Random
from typing import Any, cast

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gameday.load.braces import is_template
from gameday.load.shapes import is_list, is_object
from gameday.spi.errors import LoadError

_ALONE = re.compile(r"\s*\{\{((?:(?!\{\{|\}\}).)*)\}\}\s*", re.DOTALL)
_LONGEST = 1_000_000
"""Characters that one template may become."""
_RENDERING = (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError)
"""What an expression that went wrong raises."""

Render = Callable[[], Any]


class Templates:
    """Compiles the templates of one load generator."""

    def __init__(self, data: Mapping[str, Sequence[Any]], *, seed: int, first: int = 0, stride: int = 1) -> None:
        random = Random(f"{seed}/{first}")  # noqa: S311 - repeatable, not secret
        numbers = itertools.count(first + 1, stride)
        self._environment = ImmutableSandboxedEnvironment(
            undefined=StrictUndefined,
            autoescape=False,
            keep_trailing_newline=True,
        )
        known = cast("MutableMapping[str, Any]", self._environment.globals)
        known.clear()
        known.update({name: list(values) for name, values in data.items()})
        known["pick"] = random.choice
        known["counter"] = lambda: next(numbers)
        known["uuid"] = lambda: str(uuid.UUID(int=random.getrandbits(128), version=4))
        known["randint"] = random.randint

    def compile(self, value: Any, where: str) -> Render:
        """Return what renders every text of a JSON value; raise LoadError where a template is not well-formed.

        A text that is one expression and nothing else becomes that expression's value: a number stays a number in JSON.
        Rendering raises LoadError.
        """
        render = self._compile(value, where)

        def bounded() -> Any:
            try:
                return render()
            except _RENDERING as error:
                raise LoadError(f"{type(error).__name__}: {error}") from error

        return bounded

    def _compile(self, value: Any, where: str) -> Render:
        if isinstance(value, str) and is_template(value):
            return self._text(value, where)
        if is_list(value):
            items = [self._compile(item, where) for item in value]
            return lambda: [item() for item in items]
        if is_object(value):
            members = {key: self._compile(item, where) for key, item in value.items()}
            return lambda: {key: item() for key, item in members.items()}
        return lambda: value

    def _text(self, text: str, where: str) -> Render:
        try:
            if alone := _ALONE.fullmatch(text):
                expression = self._environment.compile_expression(alone[1], undefined_to_none=False)
                return lambda: _plain(expression())
            template = self._environment.from_string(text)
        except TemplateSyntaxError as error:
            raise LoadError(f"{where} has a template that cannot be read: {error.message}: {text[:80]}") from error
        return lambda: _bounded(template.render())


def _plain(value: Any) -> Any:
    """Return a JSON value as it is and anything else as text; an undefined name raises."""
    if isinstance(value, Undefined):
        str(value)  # StrictUndefined says which name it was
    if value is None or isinstance(value, (bool, int, float)) or is_list(value) or is_object(value):
        return value
    return _bounded(str(value))


def _bounded(text: str) -> str:
    if len(text) > _LONGEST:
        raise ValueError(f"it became {len(text)} characters long")
    return text
