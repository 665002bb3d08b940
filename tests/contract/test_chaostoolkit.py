from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from gameday.registry import load_driver
from gameday.spi import Driver, DriverError, Secrets, World
from gameday.testing import DriverContract, IrreversibleContract
from gameday_drivers.chaostoolkit import ChaosToolkit

WORLD = World(run_id="r")
MODULE = "tests.fakes.chaos_extension"


def call(func: str, **arguments: Any) -> dict[str, Any]:
    return {"module": MODULE, "func": func, "arguments": arguments}


class TestChaosToolkit(DriverContract):
    @pytest.fixture
    def driver(self, tmp_path: Path) -> Driver:
        """An action that takes a while before it acts: cut off, it must not act later."""
        flag = str(tmp_path / "flag")
        return ChaosToolkit(
            **call("switch_on", path=flag, slowly=0.06),
            undo=call("switch_off", path=flag),
            active_=call("is_on", path=flag),
        )


class TestChaosToolkitWithoutUndo(IrreversibleContract):
    @pytest.fixture
    def driver(self, tmp_path: Path) -> Driver:
        flag = str(tmp_path / "flag")
        return ChaosToolkit(**call("switch_on", path=flag), active_=call("is_on", path=flag))


def test_a_process_and_an_http_provider_will_do_as_well(tmp_path: Path) -> None:
    flag = str(tmp_path / "flag")
    driver = ChaosToolkit(
        provider={"type": "process", "path": "touch", "arguments": [flag]},
        undo={"provider": {"type": "process", "path": "rm", "arguments": ["-f", flag]}},
        active_={"provider": {"type": "process", "path": "test", "arguments": ["-e", flag]}},
    )
    plan = driver.plan(WORLD)
    assert plan.targets == (f"touch {flag}",)
    assert not driver.active(plan, WORLD)
    driver.inject(plan, WORLD)
    assert driver.active(plan, WORLD)
    driver.revert(plan, WORLD)
    assert not driver.active(plan, WORLD)


def test_the_plan_shows_what_is_called() -> None:
    driver = ChaosToolkit(
        module="chaosk8s.pod.actions", func="terminate_pods", arguments={"label_selector": "app=shop", "ns": "x"}
    )
    assert driver.plan(WORLD).targets == ("chaosk8s.pod.actions.terminate_pods(label_selector='app=shop', ns='x')",)
    assert (driver.reversible, driver.provable) == (False, False)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (call("absent"), "does not expose a function called 'absent'"),
        ({"module": "tests.absent", "func": "f"}, "could not find Python module 'tests.absent'"),
        (call("switch_on", file="x"), "required argument 'path' is missing|argument 'file' is not part"),
        (call("switch_on"), "required argument 'path' is missing"),
        ({**call("nothing"), "undo": call("switch_off")}, "required argument 'path' is missing"),
        ({"provider": {"type": "process", "path": "no-such-program"}}, "cannot be found"),
    ],
)
def test_what_could_never_be_called_is_refused_when_it_is_planned(parameters: dict[str, Any], words: str) -> None:
    driver = load_driver("chaostoolkit", parameters)
    with pytest.raises(DriverError, match=words):
        driver.plan(WORLD)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, "module is missing"),
        ({"module": "a b", "func": "f"}, "module is 'a b'"),
        ({"module": "a", "func": "f", "undo": {"module": "a"}}, "undo needs func"),
        ({"module": "a", "func": "f", "undo": {"modul": "a", "func": "f"}}, "undo has an unknown member 'modul'"),
        (
            {"module": "a", "func": "f", "undo": {"module": "a", "func": "f", "tolerance": 1}},
            "unknown member 'tolerance'",
        ),
        (
            {"module": "a", "func": "f", "undo": {"module": "a", "func": "f", "arguments": [1]}},
            "undo has arguments that are no mapping",
        ),
        ({"provider": {"type": "ssh"}}, "provider has a provider of type 'ssh'"),
        ({"provider": {"type": "http"}}, "without url"),
        ({"module": "a", "provider": {"type": "http", "url": "http://x"}}, "either module and func, or a provider"),
        ({"provider": {"type": "process", "path": "sh", "arguments": "-c ${token}"}}, "a secret in a command line"),
    ],
)
def test_what_is_wrongly_written_is_refused_without_importing_anything(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(Exception, match=words):
        load_driver("chaostoolkit", parameters)


def test_an_action_that_fails_is_an_error_in_its_own_words() -> None:
    driver = ChaosToolkit(**call("fail", text="no such cluster"))
    with pytest.raises(DriverError, match=r"^RuntimeError: no such cluster$"):
        driver.inject(driver.plan(WORLD), WORLD)


@pytest.mark.parametrize(
    ("probe", "on"),
    [
        (call("as_it_is", value=3) | {"tolerance": 3}, True),
        (call("as_it_is", value=3) | {"tolerance": [4, 9]}, False),
        (call("as_it_is", value="up") | {"tolerance": {"type": "regex", "pattern": "^u"}}, True),
        (call("as_it_is", value=False), False),
    ],
)
def test_its_check_knows_every_tolerance(probe: dict[str, Any], on: bool) -> None:
    driver = ChaosToolkit(**call("nothing"), active_=probe)
    assert driver.active(driver.plan(WORLD), WORLD) is on


@pytest.mark.parametrize(
    "probe",
    [
        call("fail"),
        call("as_it_is", value=0.5) | {"tolerance": 0.4},
        call("as_it_is", value=None) | {"tolerance": {"type": "range", "range": [1, 2]}},
        call("as_it_is", value="NaN") | {"tolerance": {"type": "range", "range": [1, 2]}},
    ],
)
def test_a_check_that_cannot_say_is_an_error_and_no_answer(probe: dict[str, Any]) -> None:
    driver = ChaosToolkit(**call("nothing"), active_=probe)
    plan = driver.plan(WORLD)
    with pytest.raises(DriverError):
        driver.active(plan, WORLD)


def test_without_a_check_nothing_is_claimed() -> None:
    driver = ChaosToolkit(**call("nothing"))
    with pytest.raises(DriverError, match="has no check"):
        driver.active(driver.plan(WORLD), WORLD)


def test_secrets_reach_the_action_and_neither_the_plan_nor_the_error(tmp_path: Path) -> None:
    world = World(run_id="r", secrets=Secrets(values={"token": "hunter2"}))
    kept = tmp_path / "kept"
    driver = ChaosToolkit(**call("keep_secret", path=str(kept), token="${token}"), secrets={"token": "${token}"})
    plan = driver.plan(world)
    assert "hunter2" not in str(plan.to_json())
    with pytest.raises(DriverError) as raised:
        driver.inject(plan, world)
    assert kept.read_text() == "hunter2 hunter2"
    assert "hunter2" not in world.secrets.mask(str(raised.value))


def test_configuration_is_given() -> None:
    driver = ChaosToolkit(**call("nothing"), configuration={"zone": "a"}, active_=call("is_configured", name="zone"))
    assert driver.active(driver.plan(WORLD), WORLD)


def test_every_parameter_is_explained() -> None:
    assert all(f.metadata["help"] for f in fields(ChaosToolkit))
