"""The embedded shop as four real processes: what its switches do when a part of it is dead, hung or slow."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gameday.shop.client import Client, Unavailable
from gameday.shop.http import Request
from tests.fakes.shop import DEADLINE, Shop, gauges, kill, until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    started = Shop(tmp_path)
    yield started
    started.close()


def test_sells(shop: Shop) -> None:
    front, catalog, payments, worker = shop.open()
    status, body = front.ask("GET", "/products")
    assert status == 200
    assert [product["sku"] for product in json.loads(body)["products"]] == ["A1", "B2", "C3"]
    assert front.checkout() == 200
    assert payments.metrics()["shop_charges_total"] == 1
    for part in (front, catalog, payments, worker):
        assert part.ask("GET", "/healthz")[0] == 200
    seen = front.metrics()
    assert seen['shop_requests_total{route="/checkout",code="200"}'] == 1
    assert seen['shop_request_seconds_count{route="/products"}'] == 1
    assert seen['shop_dependency_calls_total{dependency="payments",outcome="ok"}'] == 1
    assert worker.metrics()["payment_queue_depth"] == 0


def test_refuses_what_it_does_not_understand(shop: Shop) -> None:
    front, _, payments, _ = shop.open()
    assert front.ask("GET", "/nothing")[0] == 404
    assert front.ask("GET", "/checkout")[0] == 405
    bodies: list[object] = [[], {}, {"sku": ""}, {"sku": "x" * 100}, {"sku": 1}]
    for body in bodies:
        assert front.ask("POST", "/checkout", body)[0] == 400
    assert "shop_charges_total" not in payments.metrics()


def test_an_order_that_is_sent_again_is_charged_once(shop: Shop) -> None:
    payments = shop.start("payments")
    for _ in range(3):
        assert payments.ask("POST", "/charges", {"order": "42", "sku": "A1"})[0] == 200
    assert payments.metrics()["shop_charges_total"] == 1


def test_payments_down_without_a_fallback_fails_checkout_only(shop: Shop) -> None:
    front, _, payments, _ = shop.open()
    kill(payments)
    assert front.checkout() == 503
    assert front.ask("GET", "/products")[0] == 200


def test_payments_down_with_the_queue_is_paid_later(shop: Shop) -> None:
    front, _, payments, worker = shop.open("--payments-fallback", "queue")
    kill(payments)
    assert [front.checkout() for _ in range(20)] == [202] * 20
    assert worker.metrics()["payment_queue_depth"] == 20
    again = shop.start("payments", port=payments.port)
    until(lambda: worker.metrics()["payment_queue_depth"] == 0)
    assert again.metrics()["shop_charges_total"] == 20, "every queued payment is made, and made once"
    assert worker.metrics()["shop_jobs_delivered_total"] == 20
    assert front.checkout() == 200


def test_a_full_queue_turns_away(shop: Shop) -> None:
    front, _, payments, worker = shop.open("--payments-fallback", "queue", worker=("--capacity", "3"))
    kill(payments)
    assert [front.checkout() for _ in range(5)] == [202, 202, 202, 503, 503]
    assert worker.metrics()['shop_jobs_rejected_total{why="full"}'] == 2


def test_the_breaker_opens_stops_asking_and_closes_again(shop: Shop) -> None:
    front, _, payments, _ = shop.open("--payments-fallback", "queue", "--payments-breaker", "3/300ms")
    state = 'shop_breaker_state{dependency="payments"}'
    refused = 'shop_dependency_calls_total{dependency="payments",outcome="refused"}'
    assert front.metrics()[state] == 0
    kill(payments)
    for _ in range(3):
        front.checkout()
    assert front.metrics()[refused] == 3
    assert front.metrics()[state] == 2
    until(lambda: front.checkout() == 202 and front.metrics()[refused] == 4)  # half-open: one call has tried
    assert front.metrics()[state] == 2
    shop.start("payments", port=payments.port)
    until(lambda: front.checkout() == 200)
    assert front.metrics()[state] == 0
    events = [json.loads(line)["event"] for line in front.log.read_text().splitlines()]
    assert events == ["listening", "breaker-open", "breaker-closed"]


def test_hung_payments_cost_a_timeout_until_the_breaker_opens(shop: Shop) -> None:
    switches = ("--payments-fallback", "queue", "--payments-timeout", "200ms", "--payments-breaker", "2/60s")
    front, _, payments, worker = shop.open(*switches)
    assert front.checkout() == 200
    payments.process.send_signal(signal.SIGSTOP)
    assert [front.checkout() for _ in range(5)] == [202] * 5
    seen = front.metrics()
    assert seen['shop_dependency_calls_total{dependency="payments",outcome="timeout"}'] == 2
    assert seen['shop_dependency_calls_total{dependency="payments",outcome="open"}'] == 3
    payments.process.send_signal(signal.SIGCONT)
    until(lambda: worker.metrics()["payment_queue_depth"] == 0)


def test_without_a_timeout_a_hung_dependency_hangs_its_caller(shop: Shop) -> None:
    front, catalog, _, _ = shop.open()
    catalog.process.send_signal(signal.SIGSTOP)
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=0.7)
    connection.request("GET", "/products")
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    assert front.ask("GET", "/healthz")[0] == 200, "and only that caller"


def test_a_dead_catalog_is_covered_by_the_cache(shop: Shop) -> None:
    front, catalog, _, _ = shop.open("--catalog-fallback", "cache")
    first = front.ask("GET", "/products")
    kill(catalog)
    assert front.ask("GET", "/products") == first
    assert front.metrics()['shop_fallbacks_total{dependency="catalog",kind="cache"}'] == 1


def test_a_cache_that_was_never_filled_is_no_answer(shop: Shop) -> None:
    front, catalog, _, _ = shop.open("--catalog-fallback", "cache")
    kill(catalog)
    assert front.ask("GET", "/products")[0] == 503


def test_retries_bridge_a_restart(shop: Shop) -> None:
    front, _, payments, _ = shop.open("--payments-retry", "8/50ms")
    kill(payments)
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=DEADLINE)
    connection.request("POST", "/checkout", '{"sku": "A1"}')
    retries = 'shop_retries_total{dependency="payments"}'
    until(lambda: front.metrics().get(retries, 0) >= 1)
    shop.start("payments", port=payments.port)
    assert connection.getresponse().status == 200
    connection.close()


def test_a_retry_budget_keeps_attempts_near_the_number_of_calls(shop: Shop) -> None:
    sent = 'shop_dependency_calls_total{dependency="payments",outcome="refused"}'
    attempts: list[float] = []
    for budget in ("none", "10%"):
        front, _, payments, _ = shop.open("--payments-retry", "4/1ms", "--payments-retry-budget", budget)
        kill(payments)
        assert [front.checkout() for _ in range(20)] == [503] * 20
        attempts.append(front.metrics()[sent])
    assert attempts[0] == 100, "one attempt and four retries each"
    assert attempts[1] == 20 + 10 + 1, "what was saved up, and a tenth; its last part is not yet a whole retry"


def test_a_limit_on_waiting_calls_turns_the_others_to_the_fallback_at_once(shop: Shop) -> None:
    front, _, payments, worker = shop.open("--payments-fallback", "queue", "--payments-at-once", "1")
    payments.process.send_signal(signal.SIGSTOP)
    waits = http.client.HTTPConnection("127.0.0.1", front.port, timeout=DEADLINE)
    waits.request("POST", "/checkout", '{"sku": "A1"}')
    until(lambda: gauges(front)["shop_calls_in_flight"]["payments"] == 1)
    assert front.checkout() == 202
    assert gauges(worker)["payment_queue_depth"] == 1
    assert front.metrics()['shop_dependency_calls_total{dependency="payments",outcome="busy"}'] == 1
    payments.process.send_signal(signal.SIGCONT)
    assert waits.getresponse().status == 200
    waits.close()
    until(lambda: gauges(front)["shop_calls_in_flight"]["payments"] == 0 and front.checkout() == 200)


def test_payments_that_makes_one_charge_at_a_time_lets_the_others_wait_in_line(shop: Shop) -> None:
    payments = shop.start("payments", "--at-once", "1", "--delay", "300ms")
    connections = [http.client.HTTPConnection("127.0.0.1", payments.port, timeout=DEADLINE) for _ in range(3)]
    began = time.monotonic()
    for number, connection in enumerate(connections):
        connection.request("POST", "/charges", json.dumps({"order": str(number), "sku": "A1"}))
    until(lambda: gauges(payments)["shop_charges_open"] == 3)
    assert [connection.getresponse().status for connection in connections] == [200] * 3
    assert time.monotonic() - began >= 0.9
    for connection in connections:
        connection.close()
    assert gauges(payments) == {"shop_charges_open": 0}


def test_one_consumer_works_one_payment_off_at_a_time(shop: Shop) -> None:
    front, _, payments, worker = shop.open("--payments-fallback", "queue", worker=("--consumers", "1"))
    payments.process.send_signal(signal.SIGSTOP)
    for number in range(3):
        assert worker.ask("POST", "/jobs", {"order": str(number), "sku": "A1"})[0] == 202
    until(lambda: gauges(worker)["shop_calls_in_flight"]["payments"] == 1)
    assert gauges(worker)["payment_queue_depth"] == 3
    payments.process.send_signal(signal.SIGCONT)
    until(lambda: gauges(worker)["payment_queue_depth"] == 0)
    assert front.checkout() == 200


def test_a_sale_halves_the_prices_until_it_ends(shop: Shop) -> None:
    catalog = shop.start("catalog")

    def price() -> int:
        return int(json.loads(catalog.ask("GET", "/products")[1])["products"][0]["cents"])

    assert (catalog.ask("GET", "/sale")[0], price()) == (404, 3900)
    for _ in range(2):
        assert catalog.ask("PUT", "/sale")[0] == 200
        assert (catalog.ask("GET", "/sale")[0], price()) == (200, 1950)
    for _ in range(2):
        assert catalog.ask("DELETE", "/sale")[0] == 200
        assert (catalog.ask("GET", "/sale")[0], price()) == (404, 3900)


def test_a_worker_that_takes_time_to_start_listens_after_it(shop: Shop) -> None:
    began = time.monotonic()
    worker = shop.start("worker", "--boot", "700ms", "--payments", "http://127.0.0.1:1")
    assert time.monotonic() - began >= 0.7
    assert worker.ask("GET", "/healthz")[0] == 200


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_though_clients_are_connected_and_requests_hang(shop: Shop, signum: signal.Signals) -> None:
    front, catalog, payments, worker = shop.open()
    catalog.process.send_signal(signal.SIGSTOP)
    idle = http.client.HTTPConnection("127.0.0.1", front.port, timeout=DEADLINE)
    idle.request("GET", "/healthz")
    idle.getresponse().read()
    hung = http.client.HTTPConnection("127.0.0.1", front.port, timeout=DEADLINE)
    hung.request("GET", "/products")
    until(lambda: len(front.metrics()) > 0)
    for part in (front, payments, worker):
        part.process.send_signal(signum)
        assert part.process.wait(2.0) == 0, "half a second of grace for what is running, and it is gone"
    idle.close()
    hung.close()
    assert "Traceback" not in front.log.read_text()


def test_a_request_in_flight_is_answered_before_the_end(shop: Shop) -> None:
    catalog = shop.start("catalog", "--delay", "200ms")
    connection = http.client.HTTPConnection("127.0.0.1", catalog.port, timeout=DEADLINE)
    connection.request("GET", "/products")
    assert catalog.ask("GET", "/healthz")[0] == 200, (
        "a later connection is served, so the earlier request is being served"
    )
    catalog.process.send_signal(signal.SIGTERM)
    assert connection.getresponse().status == 200
    connection.close()
    assert catalog.process.wait(DEADLINE) == 0


def test_a_port_in_use_is_said_and_ends_it(shop: Shop) -> None:
    catalog = shop.start("catalog")
    argv = [sys.executable, "-m", "gameday.shop.catalog", "--port", str(catalog.port)]
    second = subprocess.run(argv, capture_output=True, timeout=DEADLINE, check=False)
    assert second.returncode == 1
    assert json.loads(second.stderr)["event"] == "cannot-listen"


@pytest.mark.parametrize("name", ["front", "catalog", "payments", "worker"])
def test_needs_the_standard_library_and_itself_only(name: str) -> None:
    code = f"import gameday.shop.{name}, sys; print(*(m for m in sys.modules if m.startswith('gameday.')))"
    argv = [sys.executable, "-S", "-E", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=DEADLINE, check=True)
    assert all(module.startswith("gameday.shop") for module in ended.stdout.split())


@pytest.mark.slow
def test_carries_200_requests_a_second_without_an_error(shop: Shop) -> None:
    front, _, payments, _ = shop.open("--payments-timeout", "2s", "--catalog-timeout", "2s")
    outcomes = asyncio.run(arrivals(front.url, rate=200, seconds=3.0))
    assert outcomes == {"200": 600}
    assert payments.metrics()["shop_charges_total"] == 300


async def arrivals(url: str, *, rate: int, seconds: float) -> dict[str, int]:
    """Load in the open model, browse and checkout in turn; outcomes by status or kind of failure."""
    client, outcomes = Client(url), dict[str, int]()
    wanted = (
        Request(method="GET", path="/products"),
        Request(method="POST", path="/checkout", body=b'{"sku": "A1"}'),
    )

    async def one(number: int) -> None:
        try:
            outcome = str((await client.send(wanted[number % 2], timeout=5.0)).status)
        except Unavailable as error:
            outcome = error.kind
        outcomes[outcome] = outcomes.get(outcome, 0) + 1

    start = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
            group.create_task(one(number))
    client.close()
    return outcomes
