"""Probes by their entry points: checked when loaded, and their mistakes named as the file spells them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from gameday import registry
from gameday.installed import EntryPoint
from gameday.registry import PluginError, load_probe, probe_class, probe_parameters, probes
from gameday.schema.errors import ParameterError, UnknownDriverError
from gameday.spi import Probe
from gameday_drivers.http_probe import HttpProbe

HERE = __name__


@dataclass(frozen=True, slots=True, kw_only=True)
class Fine:
    """A probe whose time-out is a field without a default."""

    value: str
    timeout: float = 2.0
    name: str = field(default="fine", init=False)

    def read(self, _world: Any) -> float:
        return 1.0


@dataclass(kw_only=True)
class Thawed:
    value: str
    timeout = 1.0
    name = "thawed"

    def read(self, _world: Any) -> float:
        return 1.0


@dataclass(frozen=True, kw_only=True)
class Nameless:
    value: str
    timeout = 1.0
    name = "other"

    def read(self, _world: Any) -> float:
        return 1.0


@dataclass(frozen=True, kw_only=True)
class Valueless:
    url: str
    timeout = 1.0
    name = "valueless"

    def read(self, _world: Any) -> float:
        return 1.0


@dataclass(frozen=True, kw_only=True)
class Blind:
    value: str
    timeout = 1.0
    name = "blind"


class NoData:
    value = ""


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {
        "fine": Fine,
        "thawed": Thawed,
        "nameless": Nameless,
        "valueless": Valueless,
        "blind": Blind,
        "nodata": NoData,
    }
    points = {name: EntryPoint(name=name, value=f"{HERE}:{kind.__name__}") for name, kind in names.items()}
    monkeypatch.setattr(registry, "probes", lambda: points)
    probe_class.cache_clear()


def test_ours_are_found_like_anybodys() -> None:
    assert {"http", "command"} <= set(probes())
    for name in ("http", "command"):
        assert isinstance(load_probe(name, {"value": "http://a/" if name == "http" else ("true",)}), Probe)


def test_a_parameter_is_spelt_as_in_the_file() -> None:
    found = probe_parameters("http")
    assert [(p.name, p.field, p.required) for p in found][:1] == [("http", "value", True)]
    assert {p.name for p in found} == {"http", "json", "headers", "status", "timeout"}
    probe = load_probe("http", {"value": "http://a/", "timeout": "250ms", "status": 204})
    assert isinstance(probe, HttpProbe)
    assert (probe.timeout, probe.status) == (0.25, 204)


@pytest.mark.parametrize(
    ("kind", "params", "parameter", "words"),
    [
        ("http", {}, "http", "http needs 'http'"),
        ("http", {"value": 7}, "http", "'http' must be text"),
        ("http", {"value": "nowhere"}, "http", "http is not a URL: 'nowhere'"),
        ("http", {"value": "http://a/", "json": "a"}, "json", "json is not a path"),
        ("http", {"value": "http://a/", "jsn": "$"}, "jsn", "http has no parameter 'jsn'"),
        ("http", {"value": "http://a/", "timeout": 3}, "timeout", "not a duration"),
        ("http", {"value": "http://a/", "status": 700}, "status", "at most 599"),
        ("command", {"value": []}, "command", "command is empty"),
        ("command", {"value": ["curl", "${token}"]}, "command", "command has a secret"),
    ],
)
def test_a_mistake_names_what_the_file_calls_it(kind: str, params: dict[str, Any], parameter: str, words: str) -> None:
    with pytest.raises(ParameterError, match=words) as raised:
        load_probe(kind, params)
    assert raised.value.parameter == parameter


def test_an_unknown_kind_suggests_the_nearest() -> None:
    with pytest.raises(UnknownDriverError) as raised:
        load_probe("htp", {"value": "http://a/"})
    assert raised.value.hint == "did you mean 'http'?"


@pytest.mark.usefixtures("installed")
def test_a_strangers_probe_is_checked_when_it_is_loaded() -> None:
    assert load_probe("fine", {"value": "x"}).timeout == 2.0
    for name, words in {
        "thawed": "it is not frozen",
        "nameless": "it calls itself 'other', its entry point 'nameless'",
        "valueless": "it has no field 'value'",
        "blind": "it has no read",
        "nodata": "it is not a dataclass",
    }.items():
        with pytest.raises(PluginError, match=words):
            load_probe(name, {"value": "x"})
    probe_class.cache_clear()
