"""One Chaos Toolkit activity as our files write it: ``{module, func, arguments}``, or any ``provider:`` that Chaos Toolkit has."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from gameday.spi import World

NAMESPACE = "gameday"
"""Under which namespace an activity finds the secrets that our file gives it."""
TOLERANCES: Mapping[str, Any] = {"python": True, "process": 0, "http": 200}
"""What a probe must answer where nobody says: true, exit code 0, status 200."""
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_NEEDED = {"python": ("module", "func"), "process": ("path",), "http": ("url",)}
_CALL = ("module", "func", "arguments", "provider")
_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An action or probe of any Chaos Toolkit extension."""

    kind: Literal["action", "probe"]
    provider: Mapping[str, Any]
    tolerance: Any = None
    """What a probe must answer, in Chaos Toolkit's own words."""
    name: str = field(default="")

    def to_json(self) -> dict[str, Any]:
        """As a plan keeps it, and as Chaos Toolkit reads it."""
        raw: dict[str, Any] = {"type": self.kind, "name": self.name, "provider": dict(self.provider)}
        return raw if self.kind == "action" else {**raw, "tolerance": self.tolerance}

    @property
    def shown(self) -> str:
        """What it does, on one line; secrets stay references."""
        return shown(self.provider)


def read_call(where: str, raw: Mapping[str, Any], kind: Literal["action", "probe"]) -> Call:
    """Read one activity; raise ValueError that begins with ``where`` and says what would do."""
    allowed = (*_CALL, "tolerance") if kind == "probe" else _CALL
    unknown = next((key for key in raw if key not in allowed), None)
    if unknown is not None:
        raise ValueError(f"{where} has an unknown member {unknown!r}; it may have {', '.join(allowed)}")
    provider = _provider(where, raw)
    tolerance = raw.get("tolerance", TOLERANCES[provider["type"]])
    name = str(provider.get("func") or provider.get("path") or provider.get("url"))
    return Call(kind=kind, provider=provider, tolerance=tolerance, name=name)


def _provider(where: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    given = raw.get("provider")
    if given is None:
        return _python(where, raw)
    if not isinstance(given, Mapping) or any(raw.get(key) for key in ("module", "func", "arguments")):
        raise ValueError(f"{where} needs either module and func, or a provider mapping")
    provider = dict(cast("Mapping[str, Any]", given))
    kind = provider.get("type")
    if kind not in _NEEDED:
        raise ValueError(f"{where} has a provider of type {kind!r}; write type: python, process or http")
    for key in _NEEDED[kind]:
        if not isinstance(provider.get(key), str) or not provider[key]:
            raise ValueError(f"{where} has a {kind} provider without {key}; write {key}: …")
    if kind == "python":
        return {**provider, **_python(where, provider)}
    if kind == "process" and "${" in json.dumps([provider["path"], provider.get("arguments")], default=str):
        raise ValueError(f"{where} has a secret in a command line, which everybody on the machine could read there")
    return provider


def _python(where: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    for key in ("module", "func"):
        text = raw.get(key)
        if not isinstance(text, str) or not _DOTTED.fullmatch(text):
            missing = "is missing" if not text else f"is {text!r}"
            said = f"{key} {missing}" if where == "module" else f"{where} needs {key}, which {missing}"
            raise ValueError(f"{said}; write it like module: chaosk8s.pod.actions, func: terminate_pods")
    arguments: Any = raw.get("arguments") or {}
    if not isinstance(arguments, Mapping):
        raise ValueError(f"{where} has arguments that are no mapping; write arguments: {{name: value}}")  # noqa: TRY004 - a mistake in a file
    named = dict(cast("Mapping[str, Any]", arguments))
    return {
        "type": "python",
        "module": raw["module"],
        "func": raw["func"],
        "arguments": named,
        "secrets": raw.get("secrets") or [NAMESPACE],
    }


def mapping(value: object) -> Mapping[str, Any] | None:
    """Return a value that is a mapping, and None for any other."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else None


def revealed(value: Any, world: World) -> Any:
    """Put the values of secrets into every text of a value, for the moment of its use."""
    if isinstance(value, str):
        return world.secrets.reveal(value)
    named = mapping(value)
    if named is not None:
        return {key: revealed(item, world) for key, item in named.items()}
    if isinstance(value, (list, tuple)):
        return [revealed(item, world) for item in cast("Sequence[Any]", value)]
    return value


def shown(provider: Mapping[str, Any]) -> str:
    """Write what a provider calls on one printable line of at most 200 characters."""
    match provider.get("type"):
        case "process":
            arguments: Any = provider.get("arguments") or []
            line = " ".join([str(provider.get("path")), *_words(arguments)])
        case "http":
            line = f"{provider.get('method', 'GET')} {provider.get('url')}"
        case _:
            named = cast("Mapping[str, Any]", provider.get("arguments") or {})
            inside = ", ".join(f"{key}={value!r}" for key, value in named.items())
            line = f"{provider.get('module')}.{provider.get('func')}({inside})"
    return printable(line)


def printable(text: str) -> str:
    """Return the text on one line without anything that a terminal would obey, cut at 200 characters."""
    line = "".join(c if c.isprintable() else "?" for c in text)
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def _words(arguments: object) -> list[str]:
    """Write the arguments of a process as its provider passes them: a text, a list, or options and their values."""
    if isinstance(arguments, str):
        return [arguments]
    options = mapping(arguments)
    if options is None:
        return [shlex.quote(str(word)) for word in cast("Sequence[Any]", arguments)]
    return [word for key, value in options.items() for word in (key, *([shlex.quote(str(value))] if value else []))]
