"""Drivers, probes and renderers, found by their entry points and checked when they are loaded; ours have no other way in.

What a driver's author must know
--------------------------------
A driver is a frozen dataclass. Each field is one parameter of the file's ``with:``, under the field's own name (a trailing
underscore, as in ``from_``, is dropped); a field without a default is a parameter that must be given::

    @dataclass(frozen=True, slots=True, kw_only=True)
    class ProxyLatency:
        '''Add latency to everything that passes a fault proxy.'''      # `gameday list` prints the first line

        proxy: str = field(metadata={"help": "a name under proxies:"})
        latency: int = field(metadata={"unit": "duration", "help": "added to each answer", "min": 1})   # ms
        share: float = field(default=1.0, metadata={"unit": "percent"})                          # 5% is 0.05

        name = "proxy.latency"         # no annotation: not a parameter
        reversible = True
        provable = True

- Annotations: ``str``, ``int``, ``float``, ``bool``, ``Literal[...]``, ``tuple[str, ...]`` (any item type of this list),
  ``Mapping[str, Any]``, ``Any``, and each of them ``| None``. A YAML list arrives as a tuple.
- ``metadata`` keys: ``help`` (a phrase), ``unit`` (``"duration"``: ``250ms`` in the file, whole milliseconds as ``int`` in
  the driver; ``"percent"``: ``5%`` in the file, 0.05 as ``float``; ``"rate"``: ``100/s``, per second as ``float``), ``min``
  and ``max`` (inclusive, of the value the driver sees).
- What the annotations cannot say is checked in ``__post_init__``, which raises ``ValueError``. A message that begins with a
  parameter's name (``undo is missing: …``) is shown at that parameter's place in the file.

A probe is the same: its fields are the members of its entry under ``slis:``, and the field ``value`` is what stands under the
key that names its kind. ``every`` and ``source`` belong to the entry and are never a probe's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

from gameday.installed import EntryPoint, entry_points
from gameday.schema.errors import ParameterError, UnknownDriverError, did_you_mean
from gameday.schema.parameters import Parameter, parameters_of, read_parameters
from gameday.spi.driver import Driver
from gameday.spi.errors import GamedayError
from gameday.spi.notifier import Notifier
from gameday.spi.pages import Comparer, FindingsForm, Postmortem, SitePages
from gameday.spi.probe import Probe
from gameday.spi.report import OnRequest, Renderer

DRIVERS, PROBES, REPORTS = "gameday.drivers", "gameday.probes", "gameday.reports"
COMPARISONS, SITES, FINDINGS = "gameday.comparisons", "gameday.sites", "gameday.findings"
NOTIFIERS, POSTMORTEMS = "gameday.notifiers", "gameday.postmortems"
_DRIVER_HAS = ("name", "reversible", "provable", "plan", "inject", "active", "revert")
_DRIVER_DOES = ("plan", "inject", "active", "revert")
_PROBE_HAS = ("name", "timeout", "read")


class PluginError(GamedayError):
    """What an entry point names cannot be loaded, or is not what it should be."""


@cache
def drivers() -> Mapping[str, EntryPoint]:
    """Return every installed driver by name, none of them imported."""
    return _found(DRIVERS)


@cache
def probes() -> Mapping[str, EntryPoint]:
    """Return every installed probe by its kind, none of them imported."""
    return _found(PROBES)


def _found(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of a group; raise PluginError when two distributions give the same name."""
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=group):
        other = found.setdefault(entry.name, entry)
        if other.value != entry.value:
            raise PluginError(
                f"both {other.distribution} and {entry.distribution} provide {entry.name!r}",
                hint="uninstall one of them",
            )
    return dict(sorted(found.items()))


@cache
def driver_class(name: str) -> type[Driver]:
    """Import one driver and check that it is one; raise UnknownDriverError or PluginError."""
    entry = drivers().get(name)
    if entry is None:
        raise UnknownDriverError(
            f"no driver is called {name!r}", hint=did_you_mean(name, drivers(), "gameday list prints them")
        )
    found = _imported(entry)
    why = _unfit(found, _DRIVER_HAS, _DRIVER_DOES)
    if why:
        raise _no_driver(entry, why)
    return cast("type[Driver]", found)


@cache
def probe_class(kind: str) -> type[Probe]:
    """Import one probe and check that it is one; raise UnknownDriverError or PluginError."""
    entry = probes().get(kind)
    if entry is None:
        raise UnknownDriverError(
            f"no probe is called {kind!r}", hint=did_you_mean(kind, probes(), "gameday list prints them")
        )
    found = _imported(entry)
    why = _unfit(found, _PROBE_HAS, ("read",))
    if not why and VALUE not in {field.name for field in dataclasses.fields(found)}:
        why = f"it has no field {VALUE!r}"
    if why:
        raise _no_probe(entry, why)
    return cast("type[Probe]", found)


def _unfit(found: Any, has: Sequence[str], does: Sequence[str]) -> str:
    """Say why what an entry point names is not what it should be; nothing when it is."""
    if not isinstance(found, type) or not dataclasses.is_dataclass(found):
        return "it is not a dataclass"
    lacking = [attribute for attribute in has if not _declares(found, attribute)]
    lacking += [name for name in does if name not in lacking and not callable(getattr(found, name))]
    if lacking:
        return f"it has no {', '.join(lacking)}"
    if not found.__dataclass_params__.frozen:  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] - dataclasses' own record
        return "it is not frozen"
    return ""


def _declares(found: type[Any], attribute: str) -> bool:
    """Whether instances will have it: as a class attribute, or as a field, which with slots and no default is no attribute."""
    return hasattr(found, attribute) or attribute in {field.name for field in dataclasses.fields(found)}


def _imported(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        where = f"{entry.name!r} of {entry.distribution}"
        raise PluginError(f"cannot load {where}: {error}", hint=f"its entry point names {entry.value}") from error


def _no_driver(entry: EntryPoint, why: str) -> PluginError:
    message = f"{entry.value} of {entry.distribution} is no driver: {why}"
    return PluginError(message, hint="docs/adding-a-driver.md says what a driver must provide")


def _no_probe(entry: EntryPoint, why: str) -> PluginError:
    message = f"{entry.value} of {entry.distribution} is no probe: {why}"
    return PluginError(message, hint="docs/adding-a-probe.md says what a probe must provide")


def driver_parameters(name: str) -> tuple[Parameter, ...]:
    """Return the parameters of one driver, for people; raise UnknownDriverError or PluginError."""
    return parameters_of(driver_class(name))


def load_driver(name: str, params: Mapping[str, Any]) -> Driver:
    """Make a driver of its parameters as the file writes them.

    Raises UnknownDriverError, PluginError, or ParameterError that names the first parameter that is wrong.
    """
    made = driver_class(name)
    fields = read_parameters(name, parameters_of(made), params)
    try:
        driver = made(**fields)
    except (ValueError, GamedayError) as error:
        raise _refused(made, error) from error
    if driver.name != name:
        raise _no_driver(drivers()[name], f"it calls itself {driver.name!r}, its entry point {name!r}")
    return driver


VALUE = "value"
"""The field of a probe that takes what stands under the key that names its kind."""


def probe_parameters(kind: str) -> tuple[Parameter, ...]:
    """Return the parameters of one probe, for people: the first one is spelt as its kind, as in the file."""
    listed = parameters_of(probe_class(kind))
    return tuple(dataclasses.replace(p, name=kind) if p.name == VALUE else p for p in listed)


def load_probe(kind: str, params: Mapping[str, Any]) -> Probe:
    """Make a probe of its parameters as the file writes them; ``params["value"]`` is what stands under its kind.

    Raises UnknownDriverError, PluginError, or ParameterError that names the first parameter that is wrong; the one under the
    kind is named by it.
    """
    made = probe_class(kind)
    listed = probe_parameters(kind)
    given = {kind if name == VALUE else name: value for name, value in params.items()}
    fields = read_parameters(kind, listed, given)
    try:
        probe = made(**fields)
    except (ValueError, GamedayError) as error:
        refused = _refused(made, error)
        if refused.parameter == VALUE:
            message = f"{kind}{str(refused).removeprefix(VALUE)}"
            raise ParameterError(message, parameter=kind, hint=refused.hint) from error
        raise refused from error
    if probe.name != kind:
        raise _no_probe(probes()[kind], f"it calls itself {probe.name!r}, its entry point {kind!r}")
    return probe


def _refused(made: type[Any], error: Exception) -> ParameterError:
    """Place what ``__post_init__`` says at the parameter that it begins with."""
    message, _, hint = str(error).partition("; ")
    first = message.partition(" ")[0].strip(":'\"")
    known = [parameter.name for parameter in parameters_of(made)]
    return ParameterError(message, parameter=first if first in known else "", hint=getattr(error, "hint", "") or hint)


def report_formats() -> tuple[str, ...]:
    """Return the installed report formats, none of them imported."""
    return tuple(_found(REPORTS))


def renderers(formats: Sequence[str] = ()) -> tuple[Renderer, ...]:
    """Return the renderers of these formats, or every installed one that a run writes; raise PluginError for one that is not."""
    installed = _found(REPORTS)
    for name in formats:
        if name not in installed:
            hint = did_you_mean(name, installed, f"there are {', '.join(installed)}")
            raise PluginError(f"no report format is called {name!r}", hint=hint)
    found = [_renderer(installed[name]) for name in (dict.fromkeys(formats) or installed)]
    return tuple(one for one in found if formats or not (isinstance(one, OnRequest) and one.on_request))


def _renderer(entry: EntryPoint) -> Renderer:
    made = _imported(entry)
    renderer = made() if isinstance(made, type) else made
    if not isinstance(renderer, Renderer):
        lacking = ", ".join(
            attribute for attribute in ("name", "filename", "render") if not hasattr(renderer, attribute)
        )
        raise PluginError(f"{entry.value} of {entry.distribution} is no report format: it has no {lacking}")
    return renderer


def comparers() -> tuple[str, ...]:
    """Return the installed forms of a comparison, none of them imported."""
    return tuple(_found(COMPARISONS))


def comparer(name: str) -> Comparer:
    """Return one form of a comparison; raise PluginError for one that is not installed, or is none."""
    found = _made(COMPARISONS, name, "comparison")
    if not isinstance(found, Comparer):
        raise PluginError(f"{name!r} is no form of a comparison: it has no name or no render")
    return found


def findings_forms() -> tuple[str, ...]:
    """Return the installed forms of a ledger's findings, none of them imported."""
    return tuple(_found(FINDINGS))


def findings_form(name: str) -> FindingsForm:
    """Return one form of a ledger's findings; raise PluginError for one that is not installed, or is none."""
    found = _made(FINDINGS, name, "form of findings")
    if not isinstance(found, FindingsForm):
        raise PluginError(f"{name!r} is no form of findings: it has no name or no render")
    return found


def postmortems() -> tuple[str, ...]:
    """Return the installed forms of a postmortem, none of them imported."""
    return tuple(_found(POSTMORTEMS))


def postmortem(name: str) -> Postmortem:
    """Return one form of a postmortem; raise PluginError for one that is not installed, or is none."""
    found = _made(POSTMORTEMS, name, "postmortem")
    if not isinstance(found, Postmortem):
        raise PluginError(f"{name!r} is no form of a postmortem: it has no name, filename or render")
    return found


def site_pages(name: str = "static") -> SitePages:
    """Return what draws the pages of a site; raise PluginError when it is not installed, or is none."""
    found = _made(SITES, name, "site")
    if not isinstance(found, SitePages):
        raise PluginError(f"{name!r} draws no site: it has no version, record or pages")
    return found


def load_notifier(kind: str, params: Mapping[str, Any]) -> Notifier:
    """Make the channel for a kind of ``notify:``; raise PluginError when it is not installed, or is none."""
    installed = _found(NOTIFIERS)
    if kind not in installed:
        raise PluginError(f"no channel for notifications is called {kind!r}", hint=did_you_mean(kind, installed))
    made = _imported(installed[kind])(**params)
    if not isinstance(made, Notifier):
        raise PluginError(f"{kind!r} is no channel for notifications: it has no name or no send")
    return made


def _made(group: str, name: str, what: str) -> Any:
    """Make what an entry point without parameters names."""
    installed = _found(group)
    if name not in installed:
        raise PluginError(f"no {what} is called {name!r}", hint=did_you_mean(name, installed))
    made = _imported(installed[name])
    return made() if isinstance(made, type) else made
