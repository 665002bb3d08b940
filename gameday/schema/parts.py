"""As much of an experiment as is valid, so that what one section says about another is checked although a third is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gameday.schema.experiment import FaultSpec, LoadProfile, Objective, Phases, Proxy, Request, Section
from gameday.schema.grammar import AbortRule, parse_abort
from gameday.schema.nodes import as_list, as_mapping

_Section = TypeVar("_Section", bound=Section)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The valid sections, each under the name or index that it has in the file."""

    load: LoadProfile | None
    target: str | None
    allow_hosts: tuple[str, ...] | None
    requests: Mapping[int, Request] = field(default_factory=dict[int, Request])
    proxies: Mapping[str, Proxy] = field(default_factory=dict[str, Proxy])
    objectives: Mapping[str, Objective] = field(default_factory=dict[str, Objective])
    phases: Phases | None
    faults: Mapping[int, FaultSpec] = field(default_factory=dict[int, FaultSpec])
    abort: Mapping[int, AbortRule] = field(default_factory=dict[int, AbortRule])


def parts_of(data: Mapping[str, Any]) -> Parts:
    """Read each section by itself; what is wrong with one leaves it out."""
    load = as_mapping(data.get("load"))
    target, allowed = load.get("target"), load.get("allow_hosts")
    return Parts(
        load=_read(LoadProfile, load),
        target=target if isinstance(target, str) else None,
        allow_hosts=None if allowed is None else tuple(map(str, as_list(allowed))),
        requests=_listed(Request, load.get("requests")),
        proxies=_named(Proxy, data.get("proxies")),
        objectives=_named(Objective, data.get("objectives")),
        phases=_read(Phases, data.get("phases", {})),
        faults=_listed(FaultSpec, data.get("faults")),
        abort=_rules(data.get("abort")),
    )


def _read(model: type[_Section], raw: object) -> _Section | None:
    return model.read(raw, (), [])


def _named(model: type[_Section], raw: object) -> dict[str, _Section]:
    read = ((name, _read(model, value)) for name, value in as_mapping(raw).items())
    return {name: part for name, part in read if part is not None}


def _listed(model: type[_Section], raw: object) -> dict[int, _Section]:
    read = ((index, _read(model, value)) for index, value in enumerate(as_list(raw)))
    return {index: part for index, part in read if part is not None}


def _rules(raw: object) -> dict[int, AbortRule]:
    found: dict[int, AbortRule] = {}
    for index, text in enumerate(as_list(raw)):
        try:
            found[index] = parse_abort(text if isinstance(text, str) else "")
        except ValueError:
            continue
    return found
