"""``--var`` and ``--var-file``: values for a file's variables, in the two forms that ``load_experiment`` takes."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

_LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")
_MAX_BYTES = 1024 * 1024
_Function = TypeVar("_Function", bound=Callable[..., Any])


def variable_options(function: _Function) -> _Function:
    """Add ``--var`` and ``--var-file``; the command is given ``variables`` and ``secret_values``, both name → text."""
    files = click.option(
        "--var-file",
        "secret_values",
        metavar="FILE",
        multiple=True,
        callback=_from_files,
        help="Read variables, and secrets, from a YAML or JSON mapping or NAME=VALUE lines; - is stdin. Repeatable.",
    )
    single = click.option(
        "--var",
        "variables",
        metavar="NAME=VALUE",
        multiple=True,
        callback=_from_options,
        help="Set a variable of the file; never a secret. Repeatable.",
    )
    return single(files(function))


def _from_options(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    return variables_of_options(values)


def variables_of_options(values: Iterable[str]) -> dict[str, str]:
    """Read ``NAME=VALUE`` words; raise click.BadParameter for one that is none."""
    found: dict[str, str] = {}
    for text in values:
        match = _LINE.fullmatch(text)
        if match is None:
            raise click.BadParameter(f"{text.partition('=')[0]!r} is not NAME=VALUE")
        found[match[1]] = match[2]
    return found


def _from_files(_context: click.Context, _option: click.Parameter, names: tuple[str, ...]) -> dict[str, str]:
    return variables_of_files(names)


def variables_of_files(names: Iterable[str]) -> dict[str, str]:
    """Read variable files; raise click.BadParameter, which never shows a value."""
    found: dict[str, str] = {}
    for name in names:
        try:
            data = _read(name)
        except OSError as error:
            raise click.BadParameter(f"cannot read {name}: {error.strerror or error}") from None
        if len(data) > _MAX_BYTES:
            raise click.BadParameter(f"{name} is larger than 1 MiB")
        found |= read_variables(name, data)
    return found


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read(_MAX_BYTES + 1)
    with Path(name).open("rb") as stream:
        return stream.read(_MAX_BYTES + 1)


def read_variables(name: str, data: bytes) -> dict[str, str]:
    """Read a variable file; raise click.BadParameter, which never shows a value, when it is neither form."""
    text = data.decode("utf-8-sig", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    matches = [_LINE.fullmatch(line) for line in lines]
    if all(matches):
        return {match[1]: _unquoted(match[2]) for match in matches if match}
    return _mapping(name, data)


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _mapping(name: str, data: bytes) -> dict[str, str]:
    from gameday.schema.errors import ExperimentErrors  # noqa: PLC0415 - heavy
    from gameday.schema.nodes import Entries, Value, pairs  # noqa: PLC0415 - heavy
    from gameday.schema.yamlfile import parse  # noqa: PLC0415 - heavy, and only for this form

    try:
        document = parse(name, data)
    except ExperimentErrors as errors:
        first = errors.errors[0]
        raise click.BadParameter(f"{name}:{first.line}:{first.column}: {first.message}") from None
    if not isinstance(document.root, Entries) or document.errors:
        raise click.BadParameter(f"{name} holds neither NAME=VALUE lines nor one YAML or JSON mapping")
    found: dict[str, str] = {}
    for key, span, value in pairs(document.root):
        if not isinstance(value, Value) or value.value is None:
            raise click.BadParameter(f"{name}:{span.line}: {key!r} is not one value")
        found[key] = value.text
    return found


class Declares(Protocol):
    """Whatever has variables: an experiment, a game day."""

    @property
    def declared(self) -> frozenset[str]:
        """The names of its variables."""
        ...


def refuse_undeclared(variables: Mapping[str, str], loaded: Iterable[Declares]) -> None:
    """Raise click.UsageError for a ``--var`` that none of the files declares: it is most likely misspelt."""
    declared = {name for one in loaded for name in one.declared}
    for name in variables:
        if name not in declared:
            from gameday.schema.errors import did_you_mean  # noqa: PLC0415 - only for a mistake

            raise click.UsageError(
                f"no variable is called {name!r}; {did_you_mean(name, declared, 'no file declares one')}"
            )
