"""``matrix: {NAME: [values]}``: the same hypothesis once for each combination of values, each of them a variable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from gameday.schema.document import Document
from gameday.schema.errors import Span
from gameday.schema.nodes import Entries, Items, Node, Scalar, Value, pairs
from gameday.schema.variables import Variables, converted, is_variable_name

MAX_COMBINATIONS = 100
MAX_WORK = 200_000
"""Values of the file times combinations: each is checked by itself."""
_FORM = "write matrix: {users: [10, 50]}"
Combination: TypeAlias = dict[str, Scalar]


def combinations(
    document: Document, section: Node | None, variables: Variables, given: Mapping[str, str], size: int
) -> list[Combination]:
    """Return each combination, the last name changing fastest; one that is empty without a matrix.

    ``given`` (from --var) pins a name to one value. ``size`` is how many values the file has. What is wrong is noted in the
    document.
    """
    if section is None:
        return [{}]
    if not isinstance(section, Entries) or not section.entries:
        document.add(section.span, "wrong-type", "'matrix' is a mapping of names to lists of values", _FORM)
        return [{}]
    reading = _Columns(document=document, variables=variables, given=given)
    columns = [reading.column(name, span, node) for name, span, node in pairs(section)]
    count = 1
    for column in columns:
        count *= len(column)
    if count > MAX_COMBINATIONS:
        message = f"{count:,} combinations; a matrix has at most {MAX_COMBINATIONS}"
        document.add(section.span, "too-large", message)
    elif count * size > MAX_WORK:
        message = f"{count:,} combinations of a file of {size:,} values are too many"
        document.add(section.span, "too-large", message, "split the file, or the matrix")
    else:
        return [_combined(section, variables, values) for values in product(*columns)]
    return [_combined(section, variables, tuple(column[0] for column in columns))]


def _combined(section: Entries, variables: Variables, values: tuple[Scalar, ...]) -> Combination:
    named = zip(section.entries, values, strict=True)
    return {name: value for name, value in named if name not in variables.broken}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Reads the names of a matrix with their values."""

    document: Document
    variables: Variables
    given: Mapping[str, str]

    def column(self, name: str, span: Span, node: Node) -> list[Scalar]:
        """Return the values of one name; [""] when they are wrong, so that the rest of the file is still checked."""
        before = len(self.document.errors)
        values = self._values(name, span, node)
        if len(self.document.errors) > before:
            self.variables.broken.add(name)
        return values or [""]

    def _values(self, name: str, span: Span, node: Node) -> list[Scalar]:
        items = [item for item in node.items if isinstance(item, Value)] if isinstance(node, Items) else []
        add = self.document.add
        if not is_variable_name(name):
            add(span, "bad-value", f"not a variable's name: {name!r}", "write letters, digits and '_'")
        elif name in self.variables.names:
            add(span, "duplicate-name", f"{name!r} is a variable, too", "keep it under variables or under matrix")
        elif not isinstance(node, Items) or not node.items:
            add(span, "wrong-type", f"{name!r} needs a list of values", _FORM)
        elif len(items) < len(node.items) or any(item.value is None for item in items):
            add(span, "bad-value", f"the values of {name!r} are texts, numbers, true and false", _FORM)
        else:
            _differ(self.document, items)
            if name in self.given:
                return [converted(self.document, name, items[0], self.given[name])]
            return [converted(self.document, name, item, None) for item in items]
        return []


def _differ(document: Document, items: list[Value]) -> None:
    seen: set[str] = set()
    for item in items:
        if item.text in seen:
            document.add(item.span, "duplicate-name", f"{item.text!r} is listed twice", "remove one")
        seen.add(item.text)


def bound(variables: Variables, combination: Combination) -> Variables:
    """Return the file's variables with those of one combination."""
    return Variables(values={**variables.values, **combination}, secrets=variables.secrets, broken=variables.broken)


def as_text(value: Scalar) -> str:
    """Write a value as the file would: in a text, in a title, in a table of runs."""
    return str(value).lower() if isinstance(value, bool) else str(value)
