"""The Prometheus probe against a server that lies in every way it can: never a number, never a ratio."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from gameday.spi import ProbeError, QueryError, Source, StaleError, World
from gameday.testing import ProbeContract
from gameday.testing import Source as Contracted
from gameday_drivers.prometheus_probe import PrometheusProbe
from tests.fakes.scripted_prometheus import Script, scripted_prometheus

QUEUE = "sum(queue_depth)"
RATIO = {"bad": "errors_total", "total": "requests_total"}
WAYS = {
    "silent": ProbeError,
    "drip": ProbeError,
    "broken": ProbeError,
    "rubbish": ProbeError,
    "truncated": ProbeError,
    "shapeless": ProbeError,
    "huge": ProbeError,
    "away": ProbeError,
    "moved": ProbeError,
    "loop": ProbeError,
    "nan": ProbeError,
    "infinite": ProbeError,
    "text": ProbeError,
    "nothing": ProbeError,
    "partial": ProbeError,
    "refused": QueryError,
    "unauthorised": QueryError,
    "string": QueryError,
}
"""Way → the error it is."""


@pytest.fixture
def server() -> Iterator[Script]:
    with scripted_prometheus() as script:
        yield script


class TestPrometheusProbe(ProbeContract):
    @pytest.fixture
    def world(self, server: Script) -> World:
        return server.world()

    @pytest.fixture
    def source(self, server: Script) -> Contracted:
        def change() -> None:
            server.depth += 4.5

        def mode(name: str) -> None:
            server.mode = name

        return Contracted(
            probe=PrometheusProbe(value=QUEUE, timeout_=500),
            expected=lambda: server.depth,
            change=change,
            silence=lambda: mode("silent"),
            spoil=lambda: mode("text"),
        )


@pytest.mark.parametrize("way", [*WAYS, "empty", "several"])
def test_no_way_of_failing_is_a_number(server: Script, way: str) -> None:
    server.mode = way
    start = time.monotonic()
    with pytest.raises(ProbeError) as caught:
        PrometheusProbe(value=QUEUE, timeout_=1_000).read(server.world())
    assert str(caught.value).isprintable()
    assert time.monotonic() - start < 2.5
    assert type(caught.value) is {**WAYS, "empty": ProbeError, "several": QueryError}[way]


@pytest.mark.parametrize("way", WAYS)
def test_no_way_of_failing_is_evidence(server: Script, way: str) -> None:
    server.mode = way
    with pytest.raises(ProbeError) as caught:
        PrometheusProbe(value=RATIO, timeout_=1_000).fetch(server.world(), time.time() - 60, time.time())
    assert str(caught.value).isprintable()
    # A range has no type "string": what no time can be read from is the first thing that is wrong.
    assert isinstance(caught.value, WAYS[way])


def test_a_source_that_is_not_there_is_missing() -> None:
    gone = Source(name="p", kind="prometheus", url="http://127.0.0.1:9")
    world = World(run_id="r", sources={"p": gone})
    with pytest.raises(ProbeError, match=r"p at http://127\.0\.0\.1:9"):
        PrometheusProbe(value=QUEUE).read(world)
    with pytest.raises(ProbeError, match=r"p at http://127\.0\.0\.1:9"):
        PrometheusProbe(value=RATIO).fetch(world, 0, 1)


def test_what_prometheus_repeats_from_long_ago_is_no_reading(server: Script) -> None:
    server.age = 31
    with pytest.raises(StaleError, match=r"newest sample of queue_depth is 31 s old; fresh: allows 30 s"):
        PrometheusProbe(value=QUEUE).read(server.world())
    assert PrometheusProbe(value=QUEUE, fresh=60_000).read(server.world()) == 3


def test_absent_is_zero_only_where_the_file_says_so(server: Script) -> None:
    server.mode = "empty"
    assert PrometheusProbe(value=QUEUE, absent="zero").read(server.world()) == 0
    found = PrometheusProbe(value=RATIO, absent="zero").fetch(server.world(), time.time() - 60, time.time())
    assert found.parts == {"bad": [], "total": []}, "what has no series stays without one: the judge decides"


def test_raw_samples_come_with_their_times(server: Script) -> None:
    now = time.time()
    labels = {"job": "front", "instance": "a:1"}
    server.series = {
        "errors_total": [{"metric": labels, "values": [[now - 2, "1"], [now - 1, "2"]]}],
        "requests_total": [{"metric": labels, "values": [[now - 2, "10"], [now - 1, "20"]]}],
        "up{job=~`front`}": [{"metric": labels, "values": [[now - 2, "1"], [now - 1, "1"]]}],
    }
    found = PrometheusProbe(value=RATIO).fetch(server.world(), now - 60, now)
    assert {part: [tuple(line.samples) for line in lines] for part, lines in found.parts.items()} == {
        "bad": [((now - 2, 1.0), (now - 1, 2.0))],
        "total": [((now - 2, 10.0), (now - 1, 20.0))],
        "up": [((now - 2, 1.0), (now - 1, 1.0))],
    }
    assert found.interval == pytest.approx(1.0)
    assert found.ahead == 0.0


def test_too_many_series_are_refused(server: Script) -> None:
    one: dict[str, Any] = {"metric": {}, "values": [[time.time(), "1"]]}
    server.series = {"errors_total": [one] * 2_001}
    with pytest.raises(QueryError, match="selects too much"):
        PrometheusProbe(value=RATIO).fetch(server.world(), 0, time.time())


@pytest.mark.parametrize(
    ("options", "header"),
    [
        ({"token": "s3cret"}, "Bearer s3cret"),
        ({"user": "me", "password": "s3cret"}, "Basic bWU6czNjcmV0"),
        ({}, None),
    ],
)
def test_it_shows_who_asks(server: Script, options: dict[str, str], header: str | None) -> None:
    source = Source(name="p", kind="prometheus", url=server.url, **options)
    assert "s3cret" not in repr(source)
    assert "s3cret" not in str(World(run_id="r", sources={"p": source}).to_json(with_secrets=False))
    PrometheusProbe(value=QUEUE).read(World(run_id="r", sources={"p": source}))
    assert {headers.get("Authorization") for _, _, headers, _ in server.seen} == {header}
