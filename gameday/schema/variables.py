"""``variables:`` and ``${name}``: what is put into the file before it is read, and what stays a reference.

A value comes from ``--var``, then a variable file, then the environment, then ``default``; an empty environment variable
counts as not set. A secret comes from a variable file or the environment only, and its reference ``${name}`` stays in the text:
its value is never part of an experiment. No value may itself contain ``${``, so that no value can name a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gameday.schema.compose import resolve_scalar
from gameday.schema.document import Document
from gameday.schema.errors import Span, did_you_mean
from gameday.schema.nodes import Entries, Items, Node, Path, Scalar, Value, pairs
from gameday.schema.quantities import shown

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_REFERENCE = re.compile(r"\$\{([^{}$]*)\}")
_KEYS = ("env", "default", "secret")
_ARGV_PARAMETERS = ("run", "undo", "active", "command", "args")
MAX_ADDED = 1_000_000
"""Characters that variables may add to a file: a long value, used often, would fill the memory."""
SAMPLE_BUILTINS = {"run.id": "20260101T000000Z-sample-000000", "run.seed": "0"}
"""What ``${run.id}`` and ``${run.seed}`` stand for while a file is only validated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Where values come from, in the order in which they win."""

    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    """From ``--var``: never a secret, because other users can read a command line."""
    secret_values: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """From variable files: secrets and others."""
    environ: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    def text_for(self, name: str, env: str) -> str | None:
        """Return the value that wins over the file's own, or None."""
        for source in (self.variables, self.secret_values):
            if name in source:
                return source[name]
        return self.environ.get(env) or None


@dataclass(slots=True, kw_only=True)
class Variables:
    """The variables of one file, with their values."""

    values: dict[str, Scalar] = field(default_factory=dict[str, Scalar])
    secrets: dict[str, str | None] = field(default_factory=dict[str, "str | None"], repr=False)
    """None: no value is known."""
    broken: set[str] = field(default_factory=set[str])
    """Declared, but wrongly; the error is noted at the declaration, and not again at each use."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return every name that the file declares."""
        return (*self.values, *self.secrets, *self.broken)


def references(text: str) -> tuple[str, ...]:
    """Return the names of the variables that a text refers to."""
    return tuple(_REFERENCE.findall(text))


def declare(document: Document, section: Node | None, given: Given, *, require_values: bool) -> Variables:
    """Read ``variables:`` and find each value; what is wrong is noted in the document."""
    declaring = _Declaring(document=document, given=given, require_values=require_values)
    if section is not None and not isinstance(section, Entries):
        document.add(
            section.span, "wrong-type", "'variables' must be a mapping", 'write {base_url: "http://127.0.0.1:8080"}'
        )
    for name, span, node in pairs(section):
        before = len(document.errors)
        declaring.declare(name, span, node)
        if len(document.errors) > before:
            declaring.found.broken.add(name)
    return declaring.found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Declaring:
    """Reads the declarations of one file."""

    document: Document
    given: Given
    require_values: bool
    found: Variables = field(default_factory=Variables)

    def declare(self, name: str, span: Span, node: Node) -> None:
        if not is_variable_name(name):
            self.document.add(
                span, "bad-value", f"not a variable's name: {shown(name)}", "write letters, digits and '_'"
            )
        elif isinstance(node, Entries):
            self._declaration(name, span, node)
        elif isinstance(node, Value) and node.value is not None:
            self._keep(name, node, self.given.text_for(name, ""))
        else:
            self.document.add(span, "bad-value", f"variable {name!r} has no value", f'write {name}: "a value"')

    def _declaration(self, name: str, span: Span, node: Entries) -> None:
        for key, place, _ in pairs(node):
            if key not in _KEYS:
                hint = did_you_mean(key, _KEYS)
                self.document.add(place, "unknown-key", f"unknown key {key!r} in variable {name!r}", hint)
        env, default, secret = (node.get(key) for key in _KEYS)
        if env is not None and not (isinstance(env, Value) and isinstance(env.value, str) and env.value):
            self.document.add(env.span, "wrong-type", "env must be the name of an environment variable")
        if secret is not None and not (isinstance(secret, Value) and isinstance(secret.value, bool)):
            self.document.add(secret.span, "wrong-type", "secret must be true or false")
        if default is not None and not (isinstance(default, Value) and default.value is not None):
            self.document.add(default.span, "wrong-type", "default must be one value")
            return
        variable = env.value if isinstance(env, Value) and isinstance(env.value, str) else ""
        text = self.given.text_for(name, variable)
        if isinstance(secret, Value) and secret.value is True:
            self._secret(name, span, default, variable)
        elif default is None and text is None:
            hint = f"pass --var {name}=VALUE" + (f" or set {variable} in the environment" if variable else "")
            self.document.add(span, "no-value", f"variable {name!r} has no value", f"{hint}; or give it a default")
        else:
            self._keep(name, default or Value(span=span, value=""), text)

    def _secret(self, name: str, span: Span, default: Value | None, variable: str) -> None:
        how = f"set {variable} in the environment or pass it by --var-file" if variable else "pass it by --var-file"
        if default is not None:
            hint = f"{how}: no secret belongs in a file"
            self.document.add(default.span, "secret", f"secret {name!r} may not have a default", hint)
        if name in self.given.variables:
            self.document.add(span, "secret", f"secret {name!r} was given by --var, where every user can read it", how)
        value = self.given.secret_values.get(name) or self.given.environ.get(variable) or None
        if value is None and self.require_values:
            self.document.add(span, "no-value", f"secret {name!r} has no value", how)
        self.found.secrets[name] = value

    def _keep(self, name: str, declared: Value, text: str | None) -> None:
        before = len(self.document.errors)
        value = converted(self.document, name, declared, text)
        if len(self.document.errors) == before:
            self.found.values[name] = value


def is_variable_name(name: str) -> bool:
    """Whether a variable can be called so."""
    return _NAME.fullmatch(name) is not None


def converted(document: Document, name: str, declared: Value, text: str | None) -> Scalar:
    """Return a variable's value: the file's own, or ``text`` in its place, of the same type; what is wrong is noted."""
    value: Scalar = declared.value if text is None else text
    if text is not None and not isinstance(declared.value, str):
        value = resolve_scalar(text)
        if isinstance(declared.value, float) and type(value) is int:
            value = float(value)
        if type(value) is not type(declared.value):
            message = f"variable {name!r} is {shown(declared.value)} here, but was given as {shown(text)}"
            document.add(declared.span, "bad-value", message)
    if isinstance(value, str) and "${" in value:
        message = f"the value of {name!r} contains '${{'; a variable cannot name another"
        document.add(declared.span, "bad-value", message)
    return value


@dataclass(slots=True, kw_only=True)
class Substitution:
    """Puts every variable in its place; what is wrong is noted in the document."""

    document: Document
    variables: Variables
    builtins: Mapping[str, str]
    characters: int = 0
    """What variables have added to the file so far."""

    def resolve(self, node: Entries) -> Entries:
        """Return the same tree with values for variables, each still at its place in the file."""
        return self._entries(node, ())

    def value(self, node: Value) -> Node:
        """Return one value that stands apart from the tree."""
        return self._node(node, ())

    def _entries(self, node: Entries, path: Path) -> Entries:
        entries = {key: (span, self._node(value, (*path, key))) for key, (span, value) in node.entries.items()}
        return Entries(span=node.span, entries=entries)

    def _node(self, node: Node, path: Path) -> Node:
        match node:
            case Entries():
                return self._entries(node, path)
            case Items():
                return Items(span=node.span, items=[self._node(item, (*path, i)) for i, item in enumerate(node.items)])
            case Value(value=str(text)) if "${" in text:
                return Value(span=node.span, value=self._text(node, text, path), text=text)
            case Value():
                return node

    def _text(self, node: Value, text: str, path: Path) -> Scalar:
        whole = _REFERENCE.fullmatch(text)
        if whole is not None:
            return self._value(node.span, whole[1], path)
        if "${" in _REFERENCE.sub("", text):
            self.document.add(node.span, "undefined-variable", "'${' without '}'", "a variable is written ${name}")
            return text
        return _REFERENCE.sub(lambda match: self._inside(node.span, match[1], path), text)

    def _inside(self, span: Span, name: str, path: Path) -> str:
        """Return what stands for ``${name}`` within a longer text."""
        value = _as_text(self._value(span, name, path))
        self.characters += len(value)
        if self.characters > MAX_ADDED:
            self.document.refuse(span, "too-large", f"variables add more than {MAX_ADDED:,} characters to this file")
        return value

    def _value(self, span: Span, name: str, path: Path) -> Scalar:
        """Return what stands for ``${name}``; a secret stays a reference."""
        reference = f"${{{name}}}"
        if name in self.builtins:
            return self.builtins[name]
        if name in self.variables.values:
            return self.variables.values[name]
        if name in self.variables.secrets:
            if _in_argv(path):
                hint = "give it to the process by env: or a file; every user can read a command line"
                self.document.add(span, "secret", f"secret {name!r} in a command line", hint)
        elif name not in self.variables.broken:
            known = (*self.variables.names, *self.builtins)
            hint = did_you_mean(name, known, f"declare it: variables: {{{name}: {{env: {name.upper() or 'NAME'}}}}}")
            self.document.add(span, "undefined-variable", f"undefined variable {name!r}", hint)
        return reference


def _as_text(value: Scalar) -> str:
    """Write a value inside a longer text as the file would."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _in_argv(path: Path) -> bool:
    """Whether this part of the file becomes a command line."""
    match path:
        case ("system", _, "run", *_) | ("system", _, "ready", "command", *_):
            return True
        case ("slis", _, "command", *_) | ("load", "args", *_):
            return True
        case ("faults", _, "with", parameter, *_):
            return parameter in _ARGV_PARAMETERS
        case _:
            return False
