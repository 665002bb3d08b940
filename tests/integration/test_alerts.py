"""Alerts from file to verdict: the embedded shop in an outage, a real Prometheus that scrapes it, a real Alertmanager that is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.alertmanager import Alertmanager, alertmanager
from tests.fakes.prometheus import Prometheus, prometheus
from tests.harness import Lab, Ran, free_port

pytestmark = pytest.mark.slow

RATIO = (
    'sum(rate(shop_requests_total{route="/checkout",code=~"5.."}[5s]))'
    ' / sum(rate(shop_requests_total{route="/checkout"}[5s]))'
)


def rule(name: str, expression: str, wait: str = "0s", **labels: str) -> dict[str, Any]:
    return {"alert": name, "expr": expression, "for": wait, "labels": labels}


def rules(*listed: dict[str, Any]) -> str:
    """A rule file: JSON is YAML."""
    return json.dumps({"groups": [{"name": "shop", "rules": list(listed)}]})


BURNING = rule("CheckoutBurning", f"{RATIO} > 0.2", "1s", team="checkout")
SLEEPY = rule("Sleepy", f"{RATIO} > 0.2", "5m")
OTHER = rule("QueueFull", "payment_queue_depth > 1000")
FRAIL = rule("Frail", f"{RATIO} > 2")
ALWAYS = rule("Always", "vector(1)")


@dataclass
class Scene:
    """The shop under test, and who watches it."""

    lab: Lab
    prometheus: Prometheus
    alertmanager: Alertmanager
    ports: dict[str, int]

    def document(self, **objectives: Any) -> dict[str, Any]:
        """Payments are down for six seconds; checkout has no fallback, so every checkout is a 503."""
        ports = self.ports
        at = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}

        def process(name: str, *more: str) -> dict[str, Any]:
            run = ["python", "-m", f"gameday.shop.{name}", "--port", str(ports[name]), *more]
            return {"run": run, "ready": {"http": f"{at[name]}/healthz"}}

        return {
            "version": 1,
            "title": "A payments outage pages somebody",
            "system": {
                "catalog": process("catalog"),
                "payments": process("payments"),
                "worker": process("worker", "--payments", at["proxy"]),
                "front": process(
                    "front", "--catalog", at["catalog"], "--payments", at["proxy"], "--payments-timeout", "300ms",
                    "--payments-fallback", "none", "--worker", at["worker"],
                ),
            },
            "proxies": {
                "payments": {"listen": f"127.0.0.1:{ports['proxy']}", "upstream": f"127.0.0.1:{ports['payments']}"}
            },
            "load": {
                "target": at["front"],
                "rate": "40/s",
                "timeout": "2s",
                "requests": [{"name": "checkout", "post": "/checkout", "json": {"sku": "A1"}}],
            },
            "sources": {
                "prometheus": {"url": self.prometheus.url},
                "alertmanager": {"url": self.alertmanager.url},
            },
            "objectives": objectives,
            "phases": {"warmup": "2s", "baseline": "4s", "recovery": "10s"},
            "faults": [
                {"payments-down": {"do": "proxy.down", "with": {"proxy": "payments"}, "at": "0s", "for": "7s"}}
            ],
        }  # fmt: skip

    def run(self, **objectives: Any) -> Ran:
        return self.lab.run(self.lab.write(self.document(**objectives)), timeout=90)

    def first_firing(self, name: str) -> float:
        """When the alert fired for the first time, in seconds since the epoch, as Prometheus's store has it."""
        (series,) = self.prometheus.query(
            f'min_over_time(timestamp(ALERTS{{alertname="{name}",alertstate="firing"}})[5m:1s])'
        )
        return float(series["value"][1])

    def proven(self) -> float:
        """When the fault was proven, in seconds since the epoch."""
        return next(
            float(event["wall"])
            for event in self.lab.events()
            if event["kind"] == "active" and event["data"]["when"] == "proof"
        )


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    ports = {name: free_port() for name in ("catalog", "payments", "worker", "front", "proxy")}
    with (
        alertmanager(tmp_path / "alertmanager") as router,
        prometheus(
            tmp_path / "prometheus",
            {"front": f"127.0.0.1:{ports['front']}"},
            rules=rules(BURNING, SLEEPY, OTHER, FRAIL),
            alertmanager=router.address,
        ) as server,
    ):
        (tmp_path / "lab").mkdir()
        yield Scene(Lab(tmp_path / "lab"), server, router, ports)


def alerts(ran: Ran) -> dict[str, dict[str, Any]]:
    return {row["name"]: row["alert"] for row in ran.verdict["objectives"]}


def test_time_to_detect_is_the_time_at_which_the_alert_fired(scene: Scene) -> None:
    ran = scene.run(
        paged={
            "alert": "CheckoutBurning", "fires": "within 6s", "resolves": "within 10s", "source": "prometheus",
            "labels": {"team": "checkout"},
        },
        routed={"alert": "CheckoutBurning", "fires": "within 7s", "resolves": "within 10s", "source": "alertmanager"},
        quiet={"alert": "Frail", "fires": "never"},
        silent={"alert": "Sleepy", "fires": "within 5s"},
    )  # fmt: skip
    found, times = alerts(ran), ran.verdict["times"]
    assert {name: (one["result"], one["reason"]) for name, one in found.items()} == {
        "paged": ("pass", "proven"),
        "routed": ("pass", "proven"),
        "quiet": ("pass", "proven"),
        "silent": ("fail", "broken"),
    }, ran.out + ran.err
    assert ran.code == 1

    truth = 1000 * (scene.first_firing("CheckoutBurning") - scene.proven())
    for name in ("paged", "routed"):
        assert abs(found[name]["fired_ms"] - truth) <= 1_000, (name, found[name], truth)
        assert 0 < found[name]["resolved_ms"] <= 10_000
    assert found["paged"]["resolution_ms"] == 1_000
    assert times["detect"]["ms"] == min(found["paged"]["fired_ms"], found["routed"]["fired_ms"])
    assert times["detect"]["source"].startswith("alert CheckoutBurning (")
    assert times["mitigate"]["source"].endswith("resolved")
    assert scene.lab.left_over() == []


GHOST = rule("Ghost", "no_such_metric > 5")
WRONG = rule("Sleepy", "shop_requests_total / on () shop_requests_total > 2")


def test_silence_is_no_evidence_when_source_rule_or_series_are_gone(scene: Scene, tmp_path: Path) -> None:
    scene.prometheus.rules = rules(SLEEPY, OTHER, FRAIL, GHOST)
    scene.prometheus.reload()
    targets = scene.prometheus.targets
    with prometheus(tmp_path / "second", targets, rules=rules(FRAIL)) as second:
        document = scene.document(
            removed={"alert": "Frail", "fires": "never", "source": "prometheus"},
            failing={"alert": "Sleepy", "fires": "within 5s", "source": "prometheus"},
            unfed={"alert": "Ghost", "fires": "never", "source": "prometheus"},
            unfed_too={"alert": "Ghost", "fires": "within 5s", "source": "prometheus"},
            down={"alert": "Frail", "fires": "never", "source": "second"},
            down_too={"alert": "Frail", "fires": "within 5s", "source": "second"},
        )
        document["phases"]["recovery"] = "5s"
        document["sources"]["second"] = {"kind": "prometheus", "url": second.url}
        with scene.lab.started(scene.lab.write(document)) as run:
            scene.lab.await_event("active", 40, active=True, when="proof")
            scene.prometheus.rules = rules(WRONG, OTHER, GHOST)
            scene.prometheus.reload()
            second.stop()
            assert run.wait(60) == 3, scene.lab.log()
    found = alerts(Ran(scene.lab, 3, "", ""))
    assert {name: (one["result"], one["reason"]) for name, one in found.items()} == {
        "removed": ("inconclusive", "query-error"),
        "failing": ("inconclusive", "query-error"),
        "unfed": ("inconclusive", "no-data"),
        "unfed_too": ("inconclusive", "no-data"),
        "down": ("inconclusive", "no-data"),
        "down_too": ("inconclusive", "no-data"),
    }
    assert "no alerting rule 'Frail'" in found["removed"]["error"]
    assert "cannot evaluate alert Sleepy: found duplicate series" in found["failing"]["error"]
    assert scene.lab.left_over() == []


ROUTED = {"alert": "Always", "fires": "within 5s", "source": "alertmanager"}


@pytest.mark.parametrize(
    ("objectives", "reason", "row"),
    [
        ({"paged": {"alert": "Always", "fires": "within 5s"}, "routed": ROUTED}, "alert-before", "alert-before"),
        ({"paged": {"alert": "Nope", "fires": "never"}}, "baseline", "query-error"),
    ],
    ids=["firing", "unknown"],
)
def test_nothing_is_injected_for_an_alert_that_fires_already_or_is_not_known(
    scene: Scene, objectives: dict[str, Any], reason: str, row: str
) -> None:
    scene.prometheus.rules = rules(ALWAYS)
    scene.prometheus.reload()
    document = scene.document(**objectives)
    document["phases"] = {"warmup": "2s", "baseline": "2s", "recovery": "5s"}
    ran = scene.lab.run(scene.lab.write(document))

    assert (ran.code, ran.reasons) == (3, [reason]), ran.out + ran.err
    (gate,) = (event["data"] for event in scene.lab.events() if event["kind"] == "gate")
    assert (gate["passed"], {one["reason"] for one in gate["objectives"]}) == (False, {row})
    assert "inject-called" not in ran.kinds()


PAGE = rule("CheckoutBurnRate", RATIO.replace("5s", "1h") + " > 14.4 * 0.001")


def test_plan_names_an_alert_that_cannot_fire_in_the_length_of_the_fault(scene: Scene) -> None:
    scene.prometheus.rules = rules(PAGE, SLEEPY, FRAIL)
    scene.prometheus.reload()
    scene.prometheus.await_scraped("up")

    def planned(**objectives: Any) -> tuple[int, dict[str, Any], str]:
        objectives = {
            name: {"source": "prometheus", **one} if "alert" in one else one for name, one in objectives.items()
        }
        path = scene.lab.write(scene.document(**objectives))
        text, document = (scene.lab.run_verb("plan", str(path), *words) for words in ((), ("--format", "json")))
        return text.code, json.loads(document.out), text.out

    allowed = {"expect": "errors < 5%", "during": "errors < 20%", "recover": {"within": "1s", "hold": "8s"}}
    code, document, text = planned(available=allowed, paged={"alert": "CheckoutBurnRate", "fires": "within 5s"})
    (row,) = document["alerts"]
    assert (code, row["outlook"], row["share"]) == (0, "late", 0.2)
    assert row["usual_ms"] == 259_200 + 1_000 + 1_000
    assert "TOO LATE: CheckoutBurnRate cannot be expected to fire within 5s of faults that are on for 7s" in text
    assert "4m19s to burn" in text

    code, document, text = planned(silent={"alert": "Sleepy", "fires": "within 5s"})
    assert (code, document["refusals"][0]["reason"]) == (3, "too-short")
    assert "CANNOT FIRE: Sleepy cannot fire within 5s" in text

    code, document, text = planned(paged={"alert": "Nope", "fires": "within 5s"})
    assert (code, document["refusals"][0]["reason"]) == (3, "query-error")
    assert "NO SUCH RULE" in text

    scene.prometheus.stop()
    code, document, text = planned(paged={"alert": "CheckoutBurnRate", "fires": "within 5s"})
    assert (code, document["alerts"][0]["outlook"]) == (0, "unknown")
    assert "its rule could not be read" in text
