"""A real Prometheus scrapes the embedded shop through an outage: its counters, fetched after the phases, are judged like the load's."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gameday.journal.folder import read_run
from gameday.judge import judge, to_bytes
from gameday.spi import ProbeError, QueryError, Source, World
from gameday_drivers.prometheus_probe import PrometheusProbe
from tests.fakes.prometheus import Prometheus, prometheus
from tests.harness import Lab, free_port

pytestmark = pytest.mark.slow

RATE = 50
TOTAL = 'shop_requests_total{route="/products"}'
EDGE = 5
"""Requests (100 ms at our rate) that may be on one side of an edge for the load and on the other for a scrape: Prometheus moves the time
of a scrape by up to a hundredth of its interval, and a busy machine answers it some tens of milliseconds after that time."""
BAD = 'shop_requests_total{route="/products",code=~"5.."}'


class Shop(Lab):
    """A front before a catalog, scraped each second."""

    def start(self, front: int, catalog: int) -> Shop:
        self.front, self.catalog = front, catalog
        return self

    def document(self) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.catalog}"
        return {
            "version": 1,
            "title": "The shop without its catalog",
            "system": {
                "catalog": {
                    "run": ["python", "-m", "gameday.shop.catalog", "--port", str(self.catalog)],
                    "ready": {"http": f"{url}/healthz"},
                },
                "front": {
                    "run": [
                        *("python", "-m", "gameday.shop.front", "--port", str(self.front)),
                        *("--catalog", url, "--payments", url, "--worker", url),
                    ],
                    "ready": {"http": f"http://127.0.0.1:{self.front}/healthz"},
                },
            },
            "load": {
                "target": f"http://127.0.0.1:{self.front}",
                "rate": f"{RATE}/s",
                "timeout": "2s",
                "requests": [{"name": "browse", "get": "/products"}],
            },
            "slis": {
                "api": {"prometheus": {"bad": BAD, "total": TOTAL}, "absent": "zero"},
                "calls": {"prometheus": "sum(shop_calls_in_flight)", "every": "500ms"},
            },
            "objectives": {
                "load": {"expect": "errors < 5%", "during": "errors < 50%", "recover": {"within": "3s", "hold": "4s"}},
                "api": {
                    "expect": "ratio(api) < 5%",
                    "during": "ratio(api) < 50%",
                    "recover": {"within": "3s", "hold": "4s"},
                },
                "calls": {"expect": "max(calls) < 1000", "recover": {"within": "3s", "hold": "4s"}},
            },
            "phases": {"warmup": "2s", "baseline": "7s", "recovery": "8s"},
            "faults": [{"gone": {"do": "process.stop", "with": {"process": "catalog"}, "at": "0s", "for": "10s"}}],
        }


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path).start(free_port(), free_port())


@pytest.fixture
def server(shop: Shop) -> Generator[Prometheus]:
    with prometheus(shop.folder / "prometheus", {"front": f"127.0.0.1:{shop.front}"}) as found:
        yield found


def phases(verdict: dict[str, Any], name: str) -> dict[str, Any]:
    row = next(row for row in verdict["objectives"] if row["name"] == name)
    found: dict[str, Any] = row["criteria"][0]["phases"]
    return found


def test_counters_say_what_the_load_counted_within_the_scrape_error(shop: Shop, server: Prometheus) -> None:
    ran = shop.run(shop.write(sources={"prometheus": {"url": server.url}}))
    assert ran.code == 1, ran.out + ran.err
    assert ran.verdict["objectives_broken"] == ["load", "api"]
    load, api = phases(ran.verdict, "load"), phases(ran.verdict, "api")
    scrape = 1.2 * RATE
    for phase in ("baseline", "fault", "recovery"):
        assert 0 <= load[phase]["n"] - api[phase]["n"] <= 2 * scrape, (phase, load[phase], api[phase])
        assert api[phase]["counters"]["edge_ms"] == pytest.approx(1000, abs=100)
    # What comes back between the catalog's start and the proof of its revert is good: at most what the load saw of that, and an edge.
    good = {name: row["fault"]["n"] - row["fault"]["k"] for name, row in (("load", load), ("api", api))}
    assert good["api"] <= good["load"] + EDGE
    assert api["baseline"]["k"] == 0
    # Whatever failed, failed in a step that belongs to the fault or to its edges: both counts are whole.
    assert abs(sum(api[p]["k"] - load[p]["k"] for p in ("baseline", "onset", "fault", "recovery"))) <= EDGE
    row = next(row for row in ran.verdict["objectives"] if row["name"] == "api")
    assert row["recovery"]["result"] == "pass"
    assert row["recovery"]["seconds"] <= 3
    assert row["budget"]["bad"] == sum(api[p]["k"] for p in ("baseline", "onset", "fault", "recovery"))
    calls = next(row for row in ran.verdict["objectives"] if row["name"] == "calls")
    assert calls["verdict"] == "pass", "an expression as a gauge, read twice a second"
    report = (shop.run_folder / "report.html").read_text()
    assert "ratio(api) &lt; 50%" in report
    assert to_bytes(judge(read_run(shop.run_folder))) == (shop.run_folder / "verdict.json").read_bytes()


BCRYPT = "$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay"
"""The password "test", as Prometheus's own documentation has it."""


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl: apt-get install openssl")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subject = ["-subj", "/CN=prometheus", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    argv = [openssl, "req", "-x509", *made, "-keyout", str(key), "-out", str(cert), *subject]
    subprocess.run(argv, check=True, capture_output=True)
    return cert, key


def test_tls_with_a_ca_and_a_password(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    web = f"tls_server_config: {{cert_file: {cert}, key_file: {key}}}\nbasic_auth_users: {{me: '{BCRYPT}'}}\n"
    own = free_port()
    probe = PrometheusProbe(value="prometheus_ready")
    with prometheus(tmp_path / "prometheus", {"self": f"127.0.0.1:{own}"}, web=web) as server:
        source = Source(name="p", kind="prometheus", url=server.url, user="me", password="test", ca=str(cert))

        def ask(asked: Source, expression: str = "vector(7)") -> float:
            return replace(probe, value=expression).read(World(run_id="r", sources={"p": asked}))

        assert ask(source) == 7
        with pytest.raises(QueryError, match="it answers 401"):
            ask(replace(source, password="wrong"))
        with pytest.raises(ProbeError, match="certificate verify failed"):
            ask(replace(source, ca=""))
        with pytest.raises(ProbeError, match="it answers 400"):
            ask(replace(source, url=server.url.replace("https", "http")))


def test_the_ways_of_a_real_one(tmp_path: Path) -> None:
    """What the scripted server of the contract claims, asked of a real one: no series, several, NaN, a bad question, and its end."""
    port = free_port()
    with prometheus(tmp_path, {"gone": f"127.0.0.1:{port}", "other": f"127.0.0.1:{port}"}) as server:
        server.await_scraped("count(up == 0) > 1 and min(count_over_time(up[10s])) > 2")
        world = World(run_id="r", sources={"p": Source(name="p", kind="prometheus", url=server.url)})

        def ask(expression: str) -> float:
            return PrometheusProbe(value=expression, timeout_=2_000).read(world)

        assert ask("sum(up)") == 0
        for expression, error, said in (
            ("no_such_metric", ProbeError, "has no series"),
            ("up", QueryError, "2 series"),
            ("sum(up) / sum(up)", ProbeError, "nan"),
            ("up + on (x) up", QueryError, "many-to-many|it answers 422"),
            ("sum(up", QueryError, "it answers 400"),
        ):
            with pytest.raises(error, match=said):
                ask(expression)
        found = PrometheusProbe(value={"bad": "no_such_total", "total": "up"}).fetch(
            world, time.time() - 60, time.time()
        )
        assert found.parts["bad"] == []
        assert {line.labels["job"] for line in found.parts["total"]} == {"gone", "other"}
        assert found.interval == pytest.approx(1.0, abs=0.2)
        down = PrometheusProbe(value="sum(up)").tally(world, 120, "< 1")
        assert down.bad == pytest.approx(down.total)  # both are down at every look
        assert 0 < down.known < 0.9  # two minutes are asked for, and it has just begun
        with pytest.raises(ProbeError, match="has no series"):
            PrometheusProbe(value={"bad": "no_such_total", "total": "up"}).tally(world, 120, "")
        with pytest.raises(ProbeError, match="nothing was counted"):
            PrometheusProbe(value={"bad": "up", "total": "up"}).tally(world, 120, "")
        server.stop()
        with pytest.raises(ProbeError, match="refused"):
            ask("sum(up)")


def test_a_source_that_does_not_answer_at_the_gate_keeps_the_fault_away(shop: Shop) -> None:
    document = shop.document()
    del document["slis"]["calls"], document["objectives"]["calls"]
    phases = {"warmup": "500ms", "baseline": "2s", "recovery": "8s"}
    ran = shop.run(
        shop.write(document, sources={"prometheus": {"url": f"http://127.0.0.1:{free_port()}"}}, phases=phases)
    )
    assert ran.code == 3, ran.out + ran.err
    assert ran.verdict["reasons"] == ["baseline"]
    assert not any(event["kind"] == "inject-called" for event in shop.events())
    api = next(row for row in ran.verdict["objectives"] if row["name"] == "api")
    assert "refused" in api["criteria"][0]["phases"]["baseline"]["counters"]["error"]
