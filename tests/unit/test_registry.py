"""Drivers and reports by their entry points: checked when loaded, parameters read as the file writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from gameday import registry
from gameday.installed import EntryPoint
from gameday.registry import PluginError, driver_class, driver_parameters, drivers, load_driver, renderers
from gameday.schema.errors import ParameterError, UnknownDriverError
from gameday.schema.parameters import parameters_of, read_parameters
from gameday.spi import Driver
from tests.fakes.experiment_file import ProxyDown

HERE = __name__


@dataclass(frozen=True, kw_only=True)
class Many:
    """Every kind of parameter."""

    text: str
    number: int = field(default=3, metadata={"min": 1, "max": 9})
    real: float = 0.5
    flag: bool = False
    way: Literal["up", "down"] = "down"
    names: tuple[str, ...] = ()
    rows: tuple[tuple[int, ...], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    maybe: int | None = None
    either: str | int = ""
    anything: Any = None
    from_: str = ""
    wait: int = field(default=250, metadata={"unit": "duration", "min": 100, "max": 60_000, "help": "how long"})
    pause: int | None = field(default=None, metadata={"unit": "duration"})
    share: float = field(default=0.05, metadata={"unit": "percent"})
    rate: float = field(default=2.0, metadata={"unit": "rate"})
    inner: int = field(default=0, init=False)

    name = "many"
    reversible = True
    provable = True

    def __post_init__(self) -> None:
        if self.text == "bad":
            raise ValueError("text is bad; write something better")
        if self.text == "worse":
            raise ValueError("nothing fits")

    def plan(self) -> None: ...
    def inject(self) -> None: ...
    def active(self) -> None: ...
    def revert(self) -> None: ...


def many(**given: Any) -> Many:
    return Many(
        **read_parameters(
            "many", parameters_of(Many), {"text": "t", **{k.removesuffix("_"): v for k, v in given.items()}}
        )
    )


ARRIVING: list[tuple[str, Any, Any]] = [
    ("number", 9, 9),
    ("real", 1, 1.0),
    ("flag", True, True),
    ("way", "up", "up"),
    ("names", ["a", "b"], ("a", "b")),
    ("rows", [[1], [2, 3]], ((1,), (2, 3))),
    ("extra", {"a": [1]}, {"a": [1]}),
    ("maybe", None, None),
    ("maybe", 5, 5),
    ("either", 5, 5),
    ("either", "x", "x"),
    ("anything", [1, {}], [1, {}]),
    ("from_", "here", "here"),
    ("wait", "1m", 60_000),
    ("pause", None, None),
    ("pause", "1s", 1000),
    ("share", "10%", 0.1),
    ("rate", "30/min", 0.5),
]


@pytest.mark.parametrize(("name", "written", "value"), ARRIVING)
def test_a_parameter_arrives_as_the_driver_wants_it(name: str, written: Any, value: Any) -> None:
    found = getattr(many(**{name: written}), name)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ({"number": "3"}, "'number' must be a whole number, not '3'", ""),
        ({"number": True}, "'number' must be a whole number, not true", ""),
        ({"number": 3.0}, "'number' must be a whole number, not 3.0", ""),
        ({"number": 0}, "'number' must be at least 1, not 0", ""),
        ({"number": 10}, "'number' must be at most 9, not 10", ""),
        ({"text": 5}, "'text' must be text, not 5", 'quote it: "5"'),
        ({"flag": "yes"}, "'flag' must be true or false, not 'yes'", ""),
        ({"way": "left"}, "'way' must be up or down, not 'left'", ""),
        ({"names": "a"}, "'names' must be a list, not 'a'", ""),
        ({"names": [1]}, "'names' must be text, not 1", 'quote it: "1"'),
        ({"extra": [1]}, "'extra' must be a mapping, not a list", ""),
        ({"maybe": "x"}, "'maybe' must be a whole number, not 'x'", ""),
        ({"wait": 250}, "not a duration: 250", "write a number with its unit, like 30s, 1m30s or 250ms"),
        ({"wait": "50ms"}, "'wait' must be at least 100ms, not 50ms", ""),
        ({"share": "5"}, "not a percentage: '5'", "write it with its sign, like 5%"),
        ({"rate": "5"}, "not a rate: '5'", "write arrivals per time, like 100/s or 30/min"),
    ],
)
def test_a_wrong_parameter_is_named(given: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(ParameterError) as caught:
        many(**given)
    assert (str(caught.value), caught.value.hint, caught.value.parameter) == (message, hint, next(iter(given)))


def test_unknown_and_missing_parameters() -> None:
    with pytest.raises(ParameterError) as caught:
        many(txet="x")
    assert (caught.value.kind, caught.value.parameter, caught.value.hint) == ("unknown", "txet", "did you mean 'text'?")
    with pytest.raises(ParameterError) as caught:
        read_parameters("many", parameters_of(Many), {})
    assert (caught.value.kind, caught.value.parameter) == ("missing", "text")
    with pytest.raises(ParameterError, match="no parameter 'inner'"):
        many(inner=1)


def test_parameters_for_people() -> None:
    found = {parameter.name: parameter for parameter in parameters_of(Many)}
    assert found["text"].required
    assert (found["wait"].kind, found["wait"].default, found["wait"].help) == ("a duration", "250ms", "how long")
    assert (found["share"].default, found["rate"].default, found["flag"].default) == ("5%", "2/s", "false")
    assert (found["from"].field, found["maybe"].default, found["way"].kind) == ("from_", "", "up or down")


class NoDriver:
    """Not a dataclass."""


@dataclass(frozen=True)
class Incomplete:
    """No revert."""

    name = "incomplete"
    reversible = True
    provable = True

    def plan(self) -> None: ...
    def inject(self) -> None: ...
    def active(self) -> None: ...


class NotData:
    """All that a driver has, but for being a dataclass."""

    name = "x"
    reversible = True
    provable = True

    def plan(self) -> None: ...
    def inject(self) -> None: ...
    def active(self) -> None: ...
    def revert(self) -> None: ...


@dataclass
class Changeable(NotData):
    """Not frozen."""


def entry(name: str, attribute: str, module: str = "tests.fakes.experiment_file") -> EntryPoint:
    return EntryPoint(name=name, value=f"{module}:{attribute}")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, EntryPoint]:
    points: dict[str, EntryPoint] = {}
    monkeypatch.setattr(registry, "drivers", lambda: points)
    driver_class.cache_clear()
    return points


@pytest.mark.parametrize(
    ("attribute", "message"),
    [
        ("NoDriver", "it is not a dataclass"),
        ("NotData", "it is not a dataclass"),
        ("Incomplete", "it has no revert"),
        ("Changeable", "it is not frozen"),
        ("HERE", "it is not a dataclass"),
        ("Missing", "cannot load"),
    ],
)
def test_what_is_no_driver_is_refused_when_it_is_loaded(
    installed: dict[str, EntryPoint], attribute: str, message: str
) -> None:
    installed["x"] = entry("x", attribute, HERE)
    with pytest.raises(PluginError, match=message):
        load_driver("x", {})


def test_a_driver_under_another_name_is_refused(installed: dict[str, EntryPoint]) -> None:
    installed["proxy.up"] = entry("proxy.up", "ProxyDown")
    with pytest.raises(PluginError, match=r"calls itself 'proxy\.down'"):
        load_driver("proxy.up", {"proxy": "p"})


def test_what_a_driver_says_of_its_own_parameters_is_placed(installed: dict[str, EntryPoint]) -> None:
    installed["many"] = entry("many", "Many", HERE)
    with pytest.raises(ParameterError) as caught:
        load_driver("many", {"text": "bad"})
    assert (caught.value.parameter, str(caught.value), caught.value.hint) == (
        "text",
        "text is bad",
        "write something better",
    )
    with pytest.raises(ParameterError) as caught:
        load_driver("many", {"text": "worse"})
    assert (caught.value.parameter, str(caught.value)) == ("", "nothing fits")


def test_a_driver_is_made_of_its_parameters(installed: dict[str, EntryPoint]) -> None:
    installed["proxy.down"] = entry("proxy.down", "ProxyDown")
    driver = load_driver("proxy.down", {"proxy": "p"})
    assert isinstance(driver, Driver)
    assert driver == ProxyDown(proxy="p")


def test_an_unknown_driver_has_its_nearest_name() -> None:
    with pytest.raises(UnknownDriverError) as caught:
        load_driver("process.puase", {})
    assert caught.value.hint == "did you mean 'process.pause'?"


def test_two_distributions_with_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(group: str) -> list[EntryPoint]:
        return [entry("x", "ProxyDown"), entry("x", "KillProcess")]

    monkeypatch.setattr(registry, "entry_points", both)
    drivers.cache_clear()
    try:
        with pytest.raises(PluginError, match="both"):
            drivers()
    finally:
        drivers.cache_clear()


@pytest.mark.parametrize("name", sorted(drivers()))
def test_every_installed_driver_is_one(name: str) -> None:
    driver_class.cache_clear()
    made = driver_class(name)
    assert made.__doc__, "gameday list prints its first line"
    assert all(parameter.help for parameter in driver_parameters(name)), "every parameter says what it is"


def test_every_installed_report_is_one() -> None:
    assert {renderer.name for renderer in renderers()} >= {"html", "junit"}
    assert [renderer.filename for renderer in renderers(["junit"])] == ["junit.xml"]


def test_an_unknown_report_has_its_nearest_name() -> None:
    with pytest.raises(PluginError) as caught:
        renderers(["htlm"])
    assert caught.value.hint == "did you mean 'html'?"
