"""A real Prometheus scrapes the embedded shop through an outage: its counters, fetched after the phases, are judged like the load's."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from gameday.journal.folder import read_run
from gameday.judge import judge, to_bytes
from tests.fakes.prometheus import Prometheus, prometheus
from tests.harness import Lab, free_port

pytestmark = pytest.mark.slow

RATE = 50
TOTAL = 'shop_requests_total{route="/products"}'
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
            "slis": {"api": {"prometheus": {"bad": BAD, "total": TOTAL}, "absent": "zero"}},
            "objectives": {
                "load": {"expect": "errors < 5%", "during": "errors < 50%", "recover": {"within": "3s", "hold": "4s"}},
                "api": {
                    "expect": "ratio(api) < 5%",
                    "during": "ratio(api) < 50%",
                    "recover": {"within": "3s", "hold": "4s"},
                },
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
    assert (api["fault"]["k"], api["baseline"]["k"]) == (api["fault"]["n"], 0)
    # Whatever failed, failed in a step that belongs to the fault or to its edges: both counts are whole.
    assert abs(sum(api[p]["k"] - load[p]["k"] for p in ("baseline", "onset", "fault", "recovery"))) <= 2
    row = next(row for row in ran.verdict["objectives"] if row["name"] == "api")
    assert row["recovery"]["result"] == "pass"
    assert row["recovery"]["seconds"] <= 3
    assert row["budget"]["bad"] == sum(api[p]["k"] for p in ("baseline", "onset", "fault", "recovery"))
    report = (shop.run_folder / "report.html").read_text()
    assert "ratio(api) &lt; 50%" in report
    assert to_bytes(judge(read_run(shop.run_folder))) == (shop.run_folder / "verdict.json").read_bytes()
