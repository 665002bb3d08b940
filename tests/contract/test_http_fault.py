from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gameday.spi import Driver, DriverError, Secrets, World
from gameday.testing import DriverContract, IrreversibleContract, parameters
from gameday_drivers.http_fault import HttpFault
from tests.fakes.flag_server import State, flag_server

WORLD = World(run_id="r")


@pytest.fixture
def server() -> Iterator[State]:
    with flag_server() as state:
        yield state


def fault(server: State, **changes: Any) -> HttpFault:
    given: dict[str, Any] = {
        "inject_": {"post": f"{server.url}/fault", "json": {"mode": "down"}},
        "undo": {"delete": f"{server.url}/fault"},
        "active_": {"get": f"{server.url}/fault", "check": ["status == 200"]},
    }
    return HttpFault(**{**given, **changes})


class TestHttpFault(DriverContract):
    """The server serves side by side and acts late: an inject that is cut off in flight still lands."""

    @pytest.fixture
    def driver(self, server: State) -> Driver:
        return fault(server)


class TestHttpFaultWithoutUndo(IrreversibleContract):
    @pytest.fixture
    def driver(self, server: State) -> Driver:
        return fault(server, undo={})


def test_what_it_can_do_follows_from_what_it_is_given(server: State) -> None:
    bare, whole = fault(server, undo={}, active_={}), fault(server)
    assert (bare.reversible, bare.provable) == (False, False)
    assert (whole.reversible, whole.provable) == (True, True)


def test_the_file_says_inject_and_active(server: State) -> None:
    assert parameters(fault(server, timeout=1_500))["timeout"] == "1s500ms"
    assert set(parameters(fault(server))) == {"inject", "undo", "active"}


def test_the_plan_shows_the_request_and_contacts_nobody(server: State) -> None:
    assert fault(server).plan(WORLD).targets == (f"POST {server.url}/fault",)
    assert server.seen == []


def test_json_headers_and_secrets_arrive_and_the_plan_holds_references(server: State) -> None:
    world = World(run_id="r", secrets=Secrets(values={"token": "s3cret"}))
    driver = fault(
        server,
        inject_={
            "post": f"{server.url}/fault",
            "json": {"list": (1, {"a": None})},
            "headers": {"Authorization": "Bearer ${token}"},
        },
        undo={"delete": f"{server.url}/fault?key=${{token}}"},
    )
    plan = driver.plan(world)
    assert "s3cret" not in json.dumps(plan.to_json())
    driver.inject(plan, world)
    method, path, headers, body = server.seen[-1]
    assert (method, path, headers["Authorization"]) == ("POST", "/fault", "Bearer s3cret")
    assert json.loads(body) == {"list": [1, {"a": None}]}
    assert headers["Content-Type"] == "application/json"
    driver.revert(plan, world)
    assert ("DELETE", "/fault?key=s3cret") in {seen[:2] for seen in server.seen}


def test_a_secret_is_masked_in_an_error() -> None:
    world = World(run_id="r", secrets=Secrets(values={"host": "sup3r.invalid"}))
    driver = HttpFault(inject_={"post": "http://${host}:bad/x"}, undo={"delete": "http://127.0.0.1:1/x"})
    with pytest.raises(DriverError) as raised:
        driver.inject(driver.plan(world), world)
    assert "sup3r" not in str(raised.value)


@pytest.mark.parametrize("mode", ["broken", "silent", "drip"])
def test_a_check_that_cannot_say_is_unknown_and_never_gone(server: State, mode: str) -> None:
    server.mode = mode
    driver = fault(server, active_={"get": f"{server.url}/other", "check": ["status == 200"]}, timeout=300)
    with pytest.raises(DriverError):
        driver.active(driver.plan(WORLD), WORLD)


def test_without_a_check_found_is_on_and_not_found_is_gone(server: State) -> None:
    driver = fault(server, active_={"get": f"{server.url}/fault"})
    plan = driver.plan(WORLD)
    assert driver.active(plan, WORLD) is False
    driver.inject(plan, WORLD)
    assert driver.active(plan, WORLD) is True
    server.mode = "away"
    moved = fault(server, active_={"get": f"{server.url}/other"})
    with pytest.raises(DriverError, match="302"):
        moved.active(moved.plan(WORLD), WORLD)


def test_a_redirect_is_not_followed(server: State) -> None:
    server.mode = "moved"
    driver = fault(server, inject_={"get": f"{server.url}/old"})
    with pytest.raises(DriverError, match="it answers 301"):
        driver.inject(driver.plan(WORLD), WORLD)
    assert [seen[1] for seen in server.seen] == ["/old"]


def test_an_inject_whose_check_does_not_hold_failed(server: State) -> None:
    driver = fault(server, inject_={"post": f"{server.url}/fault", "check": ["status == 202"]})
    with pytest.raises(DriverError, match="it answers 201, and status == 202 does not hold"):
        driver.inject(driver.plan(WORLD), WORLD)


def test_a_fault_without_check_says_so(server: State) -> None:
    driver = fault(server, active_={})
    with pytest.raises(DriverError, match="no check"):
        driver.active(driver.plan(WORLD), WORLD)


def test_nobody_there_is_an_error_for_each_of_the_three() -> None:
    with flag_server() as gone:
        driver = fault(gone, timeout=500)
    plan = driver.plan(WORLD)
    for act in (driver.inject, driver.active, driver.revert):
        with pytest.raises(DriverError):
            act(plan, WORLD)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"inject_": {}}, "inject needs exactly one of get, post"),
        ({"inject_": {"get": "http://a", "post": "http://b"}}, "inject needs exactly one"),
        ({"undo": {"delete": "ftp://a"}}, "undo is not a URL"),
        ({"active_": {"get": "http://user:pw@a/"}}, "active is not a URL"),
        ({"active_": {"get": "http://a", "check": ["status = 200"]}}, "active has a wrong check"),
        ({"active_": {"get": "http://a", "check": [200]}}, "active has a check that is no text"),
        ({"inject_": {"post": "http://a", "json": 1, "body": "x"}}, "inject has both json and body"),
        ({"inject_": {"post": "http://a", "data": 1}}, "inject has no 'data'"),
        ({"inject_": {"post": "http://a", "headers": {"A": "b\r\nC: d"}}}, "inject has a header A"),
        ({"inject_": {"post": "http://a", "headers": {"A b": "c"}}}, "inject has a header without"),
    ],
)
def test_what_it_refuses_begins_with_the_parameter(changes: dict[str, Any], words: str) -> None:
    given: dict[str, Any] = {"inject_": {"post": "http://127.0.0.1:1/"}, **changes}
    with pytest.raises(ValueError, match=words):
        HttpFault(**given)
