"""Templates in requests, ``{{ pick(skus) }}``: that they are whole and speak of what is there. The load child renders them.

Only the form is checked here, lightly: every ``{{`` has its ``}}``, and each name is a list under ``data:`` or one of four functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gameday.schema.document import Document
from gameday.schema.errors import Span, did_you_mean
from gameday.schema.nodes import Entries, Items, Node, Value, find, keys

FUNCTIONS = ("pick", "counter", "uuid", "randint")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_NO_NAMES = re.compile(r"\|\s*\w+|\bis\s+(?:not\s+)?\w+|\w+\s*=(?!=)")
"""Filters, tests and the names of arguments."""
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_WORDS = frozenset(
    ("and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None", "loop")
)
_TEMPLATED = ("get", "post", "put", "patch", "delete", "head", "options", "json", "body", "headers")


def has_template(text: str) -> bool:
    """Whether a text is a template."""
    return "{{" in text


def without_templates(text: str) -> str:
    """Return a text with a plain letter in the place of each template, so that the rest of it can be checked."""
    fixed, _, rest = _split(text)
    return "".join(part + "x" for part in fixed) + rest


def _split(text: str) -> tuple[list[str], list[str], str]:
    """Return what stands before each template, what is in each, and what follows the last, in one pass over the text."""
    before: list[str] = []
    inside: list[str] = []
    place = 0
    while (begin := text.find("{{", place)) >= 0 and (end := text.find("}}", begin + 2)) >= 0:
        before.append(text[place:begin])
        inside.append(text[begin + 2 : end])
        place = end + 2
    return before, inside, text[place:]


def check_templates(document: Document, root: Node) -> None:
    """Note what is wrong with the templates of each request."""
    known = (*keys(find(root, ("data",))), *FUNCTIONS)
    requests = find(root, ("load", "requests"))
    for request in requests.items if isinstance(requests, Items) else ():
        for key in _TEMPLATED:
            for span, text in _texts(find(request, (key,))):
                _check(document, span, text, known)
    for span, text in _texts(find(root, ("load", "headers"))):
        _check(document, span, text, known)
    target = find(root, ("load", "target"))
    if isinstance(target, Value) and isinstance(target.value, str) and has_template(target.value):
        document.add(target.span, "template", "the target is no template", "use a variable: ${base_url}")


def _texts(node: Node | None) -> Iterator[tuple[Span, str]]:
    """Yield every text below a node that is a template."""
    match node:
        case Value(value=str(text)) if has_template(text):
            yield node.span, text
        case Items():
            for item in node.items:
                yield from _texts(item)
        case Entries():
            for _, value in node.entries.values():
                yield from _texts(value)
        case _:
            pass


def _check(document: Document, span: Span, text: str, known: Iterable[str]) -> None:
    _, expressions, rest = _split(text)
    if "{{" in rest:
        document.add(span, "template", "'{{' without '}}'", "a template is written {{ pick(NAME) }}")
    elif "{%" in text or "{#" in text:
        document.add(span, "template", "only {{ … }} is a template here", "statements and comments are not supported")
    else:
        for expression in dict.fromkeys(expressions):
            _expression(document, span, expression, known)


def _expression(document: Document, span: Span, expression: str, known: Iterable[str]) -> None:
    bare = _QUOTED.sub("''", expression)
    if not bare.strip():
        document.add(span, "template", "an empty template", "write {{ pick(NAME) }}")
        return
    if "'" in bare.replace("''", "") or bare.count("(") != bare.count(")"):
        document.add(span, "template", f"not a template: {{{{{expression}}}}}", "write {{ pick(NAME) }}")
        return
    for name in dict.fromkeys(_NAME.findall(_NO_NAMES.sub("", bare))):
        if name not in known and name not in _WORDS:
            hint = did_you_mean(name, known, f"declare it: data: {{{name}: […]}}")
            document.add(span, "template", f"undefined name {name!r} in a template", hint)
