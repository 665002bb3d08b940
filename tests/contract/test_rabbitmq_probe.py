from __future__ import annotations

import base64
import json
import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gameday.spi import ProbeError, QueryError, Secrets, World
from gameday.testing import ProbeContract, Source, eventually
from gameday_drivers.rabbitmq_probe import RabbitmqProbe
from tests.fakes.recorded_api import Call, Recorded, recorded_api
from tests.fakes.servers import Rabbitmq, rabbitmq_server, started_in

WORLD = World(run_id="r", secrets=Secrets(values={"pw": "guest", "wrong": "wr0ng-one"}))
COLLECTORS = '[P || P <- registered(), lists:suffix("_metrics_collector", atom_to_list(P))]'
STATISTICS_SECONDS = 15.0
"""They are collected every 5 s."""


def ask(server: Rabbitmq, method: str, path: str, body: Any = None) -> Any:
    login = base64.b64encode(b"guest:guest").decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or b"null")


def publish(server: Rabbitmq, queue: str, number: int) -> None:
    body: dict[str, Any] = {"properties": {}, "routing_key": queue, "payload": "x", "payload_encoding": "string"}
    for _ in range(number):
        assert ask(server, "POST", "/api/exchanges/%2F/amq.default/publish", body)["routed"]


def rabbit(url: str, queue: str = "jobs/1", **given: Any) -> RabbitmqProbe:
    filled: dict[str, Any] = {"timeout_": 2_000, "user": "guest", "password": "${pw}", **given}
    return RabbitmqProbe(value=url, queue=queue, **filled)


def reads(probe: RabbitmqProbe) -> float | str:
    try:
        return probe.read(WORLD)
    except ProbeError as error:
        return str(error)


def comes_to(probe: RabbitmqProbe, number: float) -> bool:
    """Wait for the statistics, which are no newer than the server makes them."""
    return eventually(lambda: reads(probe) == number, STATISTICS_SECONDS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rabbitmq")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Rabbitmq]:
    with rabbitmq_server(folder) as server:
        ask(server, "PUT", "/api/queues/%2F/jobs%2F1", {})
        publish(server, "jobs/1", 3)
        assert comes_to(rabbit(server.url), 3)
        yield server


@pytest.mark.long
@pytest.mark.timeout(120)
class TestRabbitmq(ProbeContract):
    @pytest.fixture
    def world(self) -> World:
        return WORLD

    @pytest.fixture
    def source(self, server: Rabbitmq, folder: Path) -> Iterator[Source]:
        frozen: list[int] = []

        def expected() -> float:
            listed = ask(server, "GET", "/api/queues?disable_stats=true&enable_queue_totals=true")
            return float(next(row["messages"] for row in listed if row["name"] == "jobs/1"))

        def change() -> None:
            publish(server, "jobs/1", 2)
            assert comes_to(rabbit(server.url), expected())

        def freeze() -> None:
            for pid in started_in(folder):
                os.kill(pid, signal.SIGSTOP)
                frozen.append(pid)

        def spoil() -> None:
            ask(server, "DELETE", "/api/queues/%2F/jobs%2F1")

        yield Source(probe=rabbit(server.url), expected=expected, change=change, silence=freeze, spoil=spoil)
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
        if not frozen and "jobs/1" not in [row["name"] for row in ask(server, "GET", "/api/queues?columns=name")]:
            ask(server, "PUT", "/api/queues/%2F/jobs%2F1", {})
            publish(server, "jobs/1", 3)
            assert comes_to(rabbit(server.url), 3)


@pytest.mark.long
@pytest.mark.timeout(120)
def test_statistics_that_are_no_longer_made_are_stale(server: Rabbitmq) -> None:
    """The API goes on to answer with what it last had, and with the current time beside it."""
    before = ask(server, "GET", "/api/queues/%2F/jobs%2F1")["messages"]
    server.control("eval", f"[sys:suspend(P) || P <- {COLLECTORS}].")
    try:
        publish(server, "jobs/1", 2)
        assert eventually(lambda: "statistics are stale" in str(reads(rabbit(server.url))), STATISTICS_SECONDS)
        assert ask(server, "GET", "/api/queues/%2F/jobs%2F1")["messages"] == before, "which is the point"
    finally:
        server.control("eval", f"[sys:resume(P) || P <- {COLLECTORS}].")
    assert comes_to(rabbit(server.url), before + 2)
    assert reads(rabbit(server.url, count="ready")) == before + 2
    assert reads(rabbit(server.url, count="unacked")) == 0


@pytest.mark.long
@pytest.mark.timeout(120)
def test_what_a_real_server_refuses(server: Rabbitmq) -> None:
    for probe, words in (
        (rabbit(server.url, "absent"), "answers 404: Object Not Found"),
        (rabbit(server.url, vhost="absent"), "answers 404"),
        (rabbit(server.url, password="${wrong}"), "answers 401"),
    ):
        with pytest.raises(QueryError, match=words) as raised:
            probe.read(WORLD)
        assert "wr0ng-one" not in str(raised.value)
    server.control("add_user", "viewer", "guest")
    server.control("set_user_tags", "viewer", "management")
    server.control("set_permissions", "viewer", "^$", "^$", ".*")
    assert comes_to(rabbit(server.url, user="viewer"), rabbit(server.url).read(WORLD))


class Broker:
    """Recorded replies of the two questions that the probe asks."""

    def __init__(self) -> None:
        self.overview: Any = {"statistics_db_event_queue": 0}
        self.queue: Any = {"name": "jobs", "state": "running", "messages": 7}
        self.waits = 0

    def __call__(self, call: Call) -> tuple[int, Any]:
        if call.path == "/api/overview":
            self.waits -= 1
            return 200, self.overview if self.waits < 0 else {"statistics_db_event_queue": 17}
        return 200, self.queue


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def api(broker: Broker) -> Iterator[Recorded]:
    with recorded_api(broker) as recorded:
        yield recorded


def test_names_are_quoted(api: Recorded) -> None:
    assert rabbit(api.url, "a/b c", vhost="shop/eu").read(WORLD) == 7
    assert api.seen[-1].path == "/api/queues/shop%2Feu/a%2Fb%20c"


def test_statistics_that_are_behind_for_a_moment_are_waited_for(api: Recorded, broker: Broker) -> None:
    broker.waits = 3
    assert rabbit(api.url).read(WORLD) == 7
    assert len(api.seen) == 5


@pytest.mark.parametrize("value", [None, True, "7", [], {}, float("nan"), float("inf")])
def test_what_is_no_number_is_no_reading(api: Recorded, broker: Broker, value: Any) -> None:
    broker.queue["messages"] = value
    with pytest.raises(QueryError, match="messages is"):
        rabbit(api.url).read(WORLD)


@pytest.mark.parametrize(
    ("queue", "overview", "wrong", "words"),
    [
        ({"name": "jobs", "state": "running"}, None, False, "no statistics of the queue 'jobs/1' yet"),
        ({"name": "jobs", "state": "down", "messages": 7}, None, False, "'down': what the API says of it is stale"),
        ({"name": "jobs", "messages": 7}, None, False, "stale"),
        ([7], None, True, "no JSON object"),
        (b"", None, True, "no JSON"),
        (b" " * (1024 * 1024 + 1), None, False, "longer than"),
        (None, {}, True, "give the user the tag management"),
        (None, {"statistics_db_event_queue": "x"}, True, "not a number"),
    ],
)
def test_what_is_not_the_queue_is_no_reading(
    api: Recorded, broker: Broker, queue: Any, overview: Any, words: str, *, wrong: bool
) -> None:
    broker.queue = broker.queue if queue is None else queue
    broker.overview = broker.overview if overview is None else overview
    with pytest.raises(ProbeError, match=words) as raised:
        rabbit(api.url).read(WORLD)
    assert isinstance(raised.value, QueryError) == wrong


def test_two_slow_answers_are_one_reading_and_in_time(api: Recorded, broker: Broker) -> None:
    api.silent = True
    start = time.monotonic()
    with pytest.raises(ProbeError, match=r"no whole answer within 0\.4"):
        rabbit(api.url, timeout_=400).read(WORLD)
    assert time.monotonic() - start < 1.4


def test_nobody_there_is_missing() -> None:
    with pytest.raises(ProbeError, match="refused"):
        rabbit("http://127.0.0.1:1").read(WORLD)


def test_a_redirect_is_not_followed(api: Recorded) -> None:
    api.location = "/elsewhere"
    with pytest.raises(ProbeError, match="answers 302"):
        rabbit(api.url).read(WORLD)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"value": "amqp://127.0.0.1"}, "^value is not a URL"),
        ({"queue": ""}, "^queue is empty"),
        ({"vhost": ""}, "^vhost is empty"),
        ({"user": "a"}, "^user and password belong together"),
    ],
)
def test_what_it_refuses_begins_with_the_parameter(given: dict[str, Any], words: str) -> None:
    filled: dict[str, Any] = {"value": "http://127.0.0.1:1", "queue": "jobs", **given}
    with pytest.raises(ValueError, match=words):
        RabbitmqProbe(**filled)
