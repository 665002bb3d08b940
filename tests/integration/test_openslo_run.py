"""An OpenSLO document through an outage of the shop: its counters in a real Prometheus, its target, and its window's budget."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.prometheus import prometheus
from tests.harness import free_port
from tests.integration.test_prometheus import EDGE, Shop

pytestmark = pytest.mark.slow
DOCUMENT = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: browsing}
spec:
  service: shop
  indicator:
    metadata: {name: browsing-good}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: 'shop_requests_total{route="/products",code!~"5.."}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'shop_requests_total{route="/products"}'}}}
  timeWindow: [{duration: 30d}]
  objectives: [{target: 0.95}]
"""
BUDGET_MS = 0.05 * 30 * 24 * 3_600_000


def test_what_an_outage_burns_of_the_months_budget(tmp_path: Path) -> None:
    shop = Shop(tmp_path).start(free_port(), free_port())
    (tmp_path / "slo.yaml").write_text(DOCUMENT)
    document = shop.document()
    document["objectives"] = {
        "month": {"slo": "slo.yaml", "during": "burns < 0.001% of budget", "recover": {"within": "3s", "hold": "4s"}}
    }
    document["phases"] = {"warmup": "2s", "baseline": "6s", "recovery": "8s"}
    document["faults"][0]["gone"]["for"] = "6s"
    del document["slis"]
    with prometheus(tmp_path / "prometheus", {"front": f"127.0.0.1:{shop.front}"}) as server:
        ran = shop.run(shop.write(document, sources={"prometheus": {"url": server.url}}), timeout=90)
    assert ran.code == 1, ran.out + ran.err
    month = ran.verdict["objectives"][0]
    assert month["criteria"][0]["expect"] == "ratio(month.slo) < 5%"
    assert month["criteria"][0]["during"] == "ratio(month.slo) < 21.6%", "1.296 s of the month's 36 hours, of 6 s"
    fault = month["criteria"][0]["phases"]["fault"]
    assert fault["result"] == "fail"
    assert 0 <= fault["n"] - fault["k"] <= EDGE, "nothing was answered, but what a late scrape counts with it"
    outage = month["budget"]["outage_ms"]
    assert 4_000 <= outage <= 9_000
    assert month["budget"]["slo"]["share"] == pytest.approx(outage / BUDGET_MS, rel=1e-3, abs=1e-6)
