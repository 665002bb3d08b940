from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from gameday.spi import ProbeError, QueryError, Secrets, World
from gameday.testing import ProbeContract, Source
from gameday_drivers.http_probe import HttpProbe
from tests.fakes.flag_server import State, flag_server
from tests.fakes.recorded_api import recorded_api

WORLD = World(run_id="r")
DEPTH = "$.queues[0].depth"


@pytest.fixture
def server() -> Iterator[State]:
    with flag_server() as state:
        yield state


def source(server: State, probe: HttpProbe) -> Source:
    def change() -> None:
        server.depth += 4.5

    def mode(name: str) -> None:
        server.mode = name

    return Source(
        probe=probe,
        expected=lambda: server.depth,
        change=change,
        silence=lambda: mode("silent"),
        spoil=lambda: mode("rubbish"),
    )


class TestHttpProbe(ProbeContract):
    @pytest.fixture
    def source(self, server: State) -> Source:
        return source(server, HttpProbe(value=f"{server.url}/depth", json=DEPTH, timeout_=500))


class TestHttpProbeOfABareNumber(ProbeContract):
    @pytest.fixture
    def source(self, server: State) -> Source:
        return source(server, HttpProbe(value=f"{server.url}/plain", timeout_=500))


def test_a_slow_drip_is_over_within_the_time_out(server: State) -> None:
    """Each byte comes well within a socket's own time-out: only a deadline for all of it ends this."""
    server.mode = "drip"
    start = time.monotonic()
    with pytest.raises(ProbeError, match=r"no whole answer within 0\.4 s"):
        HttpProbe(value=f"{server.url}/depth", timeout_=400).read(WORLD)
    assert time.monotonic() - start < 1.4


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("broken", "it answers 503"),
        ("huge", "longer than 1048576 bytes"),
        ("away", "redirects to another host"),
        ("loop", "redirects more than 5 times"),
    ],
)
def test_what_is_no_reading(server: State, mode: str, words: str) -> None:
    server.mode = mode
    with pytest.raises(ProbeError, match=words) as raised:
        HttpProbe(value=f"{server.url}/depth", json=DEPTH).read(WORLD)
    assert not isinstance(raised.value, QueryError)


def test_a_redirect_to_the_same_host_is_followed(server: State) -> None:
    server.mode = "moved"
    assert HttpProbe(value=f"{server.url}/old", json=DEPTH).read(WORLD) == 3


def test_a_status_that_is_asked_for_is_the_only_good_one(server: State) -> None:
    server.mode = "broken"
    assert HttpProbe(value=f"{server.url}/plain", status=503).read(WORLD) == 7
    server.mode = "good"
    with pytest.raises(ProbeError, match="it answers 200"):
        HttpProbe(value=f"{server.url}/plain", status=503).read(WORLD)


def test_a_filter_finds_the_number(server: State) -> None:
    assert HttpProbe(value=f"{server.url}/depth", json="$.queues[?@.name == 'jobs'].depth").read(WORLD) == 3
    with pytest.raises(QueryError, match="leads to no values"):
        HttpProbe(value=f"{server.url}/depth", json="$.queues[?@.name == 'mail'].depth").read(WORLD)


@pytest.mark.parametrize(
    "path", ["$.queues[1].depth", "$.queues[0].name", "$.queues", "$.absent", "$['queues'][0]['x']"]
)
def test_a_wrong_question_says_so(server: State, path: str) -> None:
    with pytest.raises(QueryError):
        HttpProbe(value=f"{server.url}/depth", json=path).read(WORLD)


def test_not_found_is_a_wrong_question(server: State) -> None:
    with pytest.raises(QueryError, match="404"):
        HttpProbe(value=f"{server.url}/fault").read(WORLD)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"n": NaN}', "not a number that can be compared"),
        (b'{"n": -Infinity}', "not a number that can be compared"),
        (b'{"n": null}', "is null"),
        (b'{"n": "3"}', "is text"),
        (b'{"n": true}', "is true"),
        (b'{"n": [3, 4]}', "is a list"),
        (b"{}", r"there is no \$\.n"),
        (b"", "no JSON"),
        (b"<html>3</html>", "no JSON"),
    ],
)
def test_an_answer_without_the_number_is_no_reading(body: bytes, words: str) -> None:
    with recorded_api(lambda _: (200, body)) as api, pytest.raises(QueryError, match=words):
        HttpProbe(value=api.url, json="$.n").read(WORLD)


@pytest.mark.parametrize("body", [b"", b" ", b"nan", b"inf", b"null", b"true", b"3 4", b"3\n4", b"3ms"])
def test_a_body_that_is_not_one_number_is_no_reading(body: bytes) -> None:
    with recorded_api(lambda _: (200, body)) as api, pytest.raises(QueryError, match=r"number"):
        HttpProbe(value=api.url).read(WORLD)


def test_nobody_there_and_nobody_let_in_are_no_readings() -> None:
    with pytest.raises(ProbeError, match="refused"):
        HttpProbe(value="http://127.0.0.1:1/").read(WORLD)
    with recorded_api(lambda _: (200, b"3")) as api:
        api.login = "Bearer good"
        with pytest.raises(QueryError, match="it answers 401"):
            HttpProbe(value=api.url, headers={"Authorization": "Bearer bad"}).read(WORLD)


def test_secrets_are_sent_and_never_said(server: State) -> None:
    world = World(run_id="r", secrets=Secrets(values={"token": "s3cret"}))
    probe = HttpProbe(
        value=f"{server.url}/plain?key=${{token}}", headers={"Authorization": "Bearer ${token}"}, status=201
    )
    with pytest.raises(ProbeError) as raised:
        probe.read(world)
    _, path, headers, _ = server.seen[-1]
    assert (path, headers["Authorization"]) == ("/plain?key=s3cret", "Bearer s3cret")
    assert "s3cret" not in str(raised.value)
    with pytest.raises(ProbeError, match="secret 'token' is not set"):
        probe.read(WORLD)


def test_a_proxy_of_the_environment_is_not_used(server: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert HttpProbe(value=f"{server.url}/plain").read(WORLD) == 3


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"value": "queue"}, "^value is not a URL"),
        ({"value": "http://user:pw@a/"}, "^value is not a URL"),
        ({"json": "queues[0]"}, "^json is not a path"),
        ({"headers": {"A": 3}}, "^headers has a header A"),
    ],
)
def test_what_it_refuses_begins_with_the_parameter(given: dict[str, Any], words: str) -> None:
    filled: dict[str, Any] = {"value": "http://127.0.0.1:1/", **given}
    with pytest.raises(ValueError, match=words):
        HttpProbe(**filled)
