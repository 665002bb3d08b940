"""What can be changed in a running shop: its cache, the rollout of a canary; and webhooks that become dead letters."""

from __future__ import annotations

import http.client
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.shop import DEADLINE, Part, Shop, gauges, kill, until


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    started = Shop(tmp_path)
    yield started
    started.close()


def asked(catalog: Part) -> float:
    """How many lists a catalog has answered."""
    return sum(
        value for name, value in catalog.metrics().items() if name.startswith('shop_requests_total{route="/products"')
    )


def test_the_cache_answers_until_it_is_turned_off(shop: Shop) -> None:
    front, catalog, _, _ = shop.open("--catalog-cache", "1m")
    first = front.ask("GET", "/products")
    assert [front.ask("GET", "/products") for _ in range(5)] == [first] * 5
    assert asked(catalog) == 1
    for _ in range(2):
        assert front.ask("DELETE", "/cache")[0] == 200
    assert json.loads(front.ask("GET", "/cache")[1]) == {"cache": False}
    for _ in range(3):
        front.ask("GET", "/products")
    assert asked(catalog) == 4
    for _ in range(2):
        assert front.ask("PUT", "/cache")[0] == 200
    front.ask("GET", "/products")
    assert asked(catalog) == 4


def test_a_front_without_a_cache_says_so(shop: Shop) -> None:
    front, *_ = shop.open()
    assert front.ask("PUT", "/cache")[0] == 409
    assert front.ask("DELETE", "/cache")[0] == 200


@pytest.mark.parametrize(("share", "calls"), [("no", 12), ("yes", 1)])
def test_who_asks_at_the_same_time_shares_an_answer(shop: Shop, share: str, calls: int) -> None:
    front, catalog, _, _ = shop.open("--catalog-share", share)
    catalog.process.send_signal(signal.SIGSTOP)
    visitors = [http.client.HTTPConnection("127.0.0.1", front.port, timeout=DEADLINE) for _ in range(12)]
    for visitor in visitors:
        visitor.request("GET", "/products")
        assert front.ask("GET", "/healthz")[0] == 200, "what came before it has been read, too"
    until(lambda: gauges(front)["shop_calls_in_flight"]["catalog"] == calls)
    catalog.process.send_signal(signal.SIGCONT)
    assert [visitor.getresponse().status for visitor in visitors] == [200] * 12
    for visitor in visitors:
        visitor.close()
    assert asked(catalog) == calls


def with_canary(shop: Shop, *switches: str) -> tuple[Part, Part, Part]:
    stable, canary, payments = shop.start("catalog"), shop.start("catalog", "--broken", "1"), shop.start("payments")
    links = ("--catalog", stable.url, "--canary", canary.url, "--payments", payments.url, "--worker", payments.url)
    return shop.start("front", *links, *switches), stable, canary


def statuses(front: Part, number: int) -> list[int]:
    return [front.ask("GET", "/products")[0] for _ in range(number)]


def test_a_canary_gets_its_share_until_it_is_rolled_back(shop: Shop) -> None:
    front, stable, canary = with_canary(shop)
    assert statuses(front, 10) == [200] * 10
    assert front.ask("GET", "/canary")[0] == 404
    for _ in range(2):
        assert front.ask("PUT", "/canary", {"percent": 20})[0] == 200
    assert front.ask("GET", "/canary")[0] == 200
    assert sorted(statuses(front, 20)) == [200] * 16 + [503] * 4
    for _ in range(2):
        assert front.ask("DELETE", "/canary")[0] == 200
    assert statuses(front, 10) == [200] * 10
    assert (asked(stable), asked(canary)) == (36, 4)


def test_a_breaker_takes_a_bad_canary_out(shop: Shop) -> None:
    front, _, canary = with_canary(shop, "--canary-breaker", "3/1m")
    front.ask("PUT", "/canary", {"percent": 50})
    assert statuses(front, 30).count(503) == 3
    assert asked(canary) == 3


@pytest.mark.parametrize("body", [{}, {"percent": 0}, {"percent": 101}, {"percent": "20"}])
def test_what_is_no_share_is_refused(shop: Shop, body: dict[str, object]) -> None:
    front, *_ = with_canary(shop)
    assert front.ask("PUT", "/canary", body)[0] == 400
    assert front.ask("GET", "/canary")[0] == 404


def test_a_front_without_a_canary_says_so(shop: Shop) -> None:
    assert shop.open()[0].ask("PUT", "/canary", {"percent": 20})[0] == 409


def webhooks(shop: Shop, *switches: str) -> tuple[Part, Part]:
    payments = shop.start("payments")
    return shop.start("webhooks", "--payments", payments.url, "--backoff", "10ms", *switches), payments


def send(intake: Part, number: int) -> set[int]:
    return {intake.ask("POST", "/webhooks", {"order": f"o{i}", "sku": "A1"})[0] for i in range(number)}


def test_webhooks_are_passed_on(shop: Shop) -> None:
    intake, payments = webhooks(shop)
    assert send(intake, 20) == {202}
    until(lambda: gauges(intake)["webhooks_undelivered"] == 0)
    assert gauges(intake)["webhooks_lost"] == 0
    assert payments.metrics()["shop_charges_total"] == 20


def test_what_cannot_be_delivered_is_a_dead_letter_and_delivered_later(shop: Shop) -> None:
    intake, payments = webhooks(shop)
    kill(payments)
    assert send(intake, 20) == {202}
    until(lambda: gauges(intake)["dead_letters"] == 20)
    assert gauges(intake)["webhooks_lost"] == 0
    again = shop.start("payments", port=payments.port)
    assert json.loads(intake.ask("POST", "/redrive")[1]) == {"redriven": 20}
    until(lambda: gauges(intake)["webhooks_undelivered"] == 0)
    assert again.metrics()["shop_charges_total"] == 20


def test_dead_letters_are_put_back_by_themselves(shop: Shop) -> None:
    intake, payments = webhooks(shop, "--redrive", "50ms")
    kill(payments)
    send(intake, 5)
    until(lambda: 'outcome="dead-letter"' in intake.ask("GET", "/metrics")[1].decode())
    again = shop.start("payments", port=payments.port)
    until(lambda: gauges(intake)["webhooks_undelivered"] == 0)
    assert again.metrics()["shop_charges_total"] == 5


def test_without_dead_letters_they_are_lost_and_it_shows(shop: Shop) -> None:
    intake, payments = webhooks(shop, "--dead-letters", "drop")
    kill(payments)
    send(intake, 5)
    until(lambda: gauges(intake)["webhooks_lost"] == 5)
    assert gauges(intake)["webhooks_undelivered"] == 0


def test_where_there_is_no_room_the_sender_keeps_it(shop: Shop) -> None:
    intake, payments = webhooks(shop, "--capacity", "3")
    kill(payments)
    assert send(intake, 3) == {202}
    assert send(intake, 2) == {503}
    assert gauges(intake)["webhooks_lost"] == 0
