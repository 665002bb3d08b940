"""The driver ``alertmanager.silence`` on a real Alertmanager: all laws of a fault, its lease, and nothing but what it names."""

from __future__ import annotations

import json
import time
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gameday.model import Plan
from gameday.spi import DriverError, Source, World
from gameday.testing import DriverContract, eventually
from gameday_drivers.alertmanager import Alertmanager as Look
from gameday_drivers.alertmanager_silence import SilenceAlerts
from tests.fakes.alertmanager import Alertmanager, alertmanager
from tests.fakes.receiver import answer, receiver
from tests.harness import free_port

ALERTS = ("Checkout.Burn|Rate", "Other (a+b)")
EXACTLY = {"Checkout.Burn|Rate", "Other (a+b)"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    with alertmanager(tmp_path_factory.mktemp("alertmanager")) as made:
        yield made


def at(url: str) -> World:
    source = Source(name="router", kind="alertmanager", url=url)
    return World(run_id=f"contract-{uuid.uuid4().hex[:12]}", sources={"router": source})


def silences(server: Alertmanager, run: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{server.url}/api/v2/silences", timeout=5) as got:
        return [one for one in json.loads(got.read()) if run in one["comment"]]


def states(server: Alertmanager, names: list[str], **labels: str) -> dict[str, str]:
    """Send alerts that fire, and say how the server has each."""
    ends = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    server.post("/api/v2/alerts", [{"labels": {"alertname": name, **labels}, "endsAt": ends} for name in names])
    with urllib.request.urlopen(f"{server.url}/api/v2/alerts", timeout=5) as got:
        return {one["labels"]["alertname"]: one["status"]["state"] for one in json.loads(got.read())}


class TestSilenceAlerts(DriverContract):
    """Against Debian's Alertmanager."""

    @pytest.fixture
    def world(self, server: Alertmanager) -> World:
        return at(server.url)

    @pytest.fixture
    def driver(self) -> SilenceAlerts:
        return SilenceAlerts(alerts=ALERTS)

    def test_exactly_the_named_alerts_are_suppressed_and_nobody_elses(
        self, server: Alertmanager, driver: SilenceAlerts, plan: Plan, world: World
    ) -> None:
        names = [*ALERTS, "CheckoutXBurn|Rate", "Checkout.Burn", "Rate", "Other (aab)", "X" + ALERTS[0]]
        self.in_force(driver, plan, world)

        def suppressed() -> set[str]:
            return {name for name, state in states(server, names).items() if state == "suppressed"}

        assert eventually(lambda: suppressed() == EXACTLY, 10)
        look = Look(value=ALERTS[0], timeout_=5000).look(world)
        assert look.state == "suppressed"
        self.undone(driver, plan, world)
        assert eventually(lambda: not suppressed(), 10)

    def test_it_says_who_made_it_for_what_and_ends_within_its_lease(
        self, server: Alertmanager, driver: SilenceAlerts, plan: Plan, world: World
    ) -> None:
        self.in_force(driver, plan, world)
        [made] = silences(server, world.run_id)
        assert made["createdBy"] == "gameday"
        assert f"gameday run {world.run_id}" in made["comment"]
        left = datetime.fromisoformat(made["endsAt"]).timestamp() - time.time()
        assert left <= 20
        driver.renew(plan, world, 60.0)
        [same] = silences(server, world.run_id)
        assert same["id"] == made["id"], "renewed in its place"
        assert datetime.fromisoformat(same["endsAt"]) > datetime.fromisoformat(made["endsAt"])

    def test_somebody_elses_silence_stays(
        self, server: Alertmanager, driver: SilenceAlerts, plan: Plan, world: World
    ) -> None:
        now = datetime.now(UTC)
        theirs = {
            "matchers": plan.undo["matchers"],
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(minutes=5)).isoformat(),
            "createdBy": "ana",
            "comment": f"theirs, about {world.run_id}",
        }
        server.post("/api/v2/silences", theirs)
        self.in_force(driver, plan, world)
        self.undone(driver, plan, world)
        kept = {one["createdBy"]: one["status"]["state"] for one in silences(server, world.run_id)}
        assert kept == {"ana": "active", "gameday": "expired"}


def test_one_name_is_no_regular_expression_and_labels_are_exact() -> None:
    with receiver(answer(200, b"{}")) as made:
        plan = SilenceAlerts(alerts=("A.B",), labels={"service": "checkout"}).plan(at(f"http://127.0.0.1:{made.port}"))
    assert [(one["name"], one["value"], one["isRegex"]) for one in plan.undo["matchers"]] == [
        ("alertname", "A.B", False),
        ("service", "checkout", False),
    ]


@pytest.mark.parametrize("alerts", [(), ("",), ("A", " ")])
def test_no_name_is_refused(alerts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="alerts is empty"):
        SilenceAlerts(alerts=alerts)


def test_without_an_alertmanager_nothing_is_planned() -> None:
    driver = SilenceAlerts(alerts=("A",))
    with pytest.raises(DriverError, match="no sources of kind alertmanager"):
        driver.plan(World(run_id="r"))
    with pytest.raises(DriverError, match="refused"):
        driver.plan(at(f"http://127.0.0.1:{free_port()}"))


@pytest.mark.parametrize("body", [b"not json", b"{}", b'{"a": 1}', b"[1]", b'[{"createdBy": "gameday"}]', b"null"])
def test_what_is_no_answer_is_never_gone(body: bytes) -> None:
    """Unknown is an error, and never "not active"."""
    with receiver(answer(200, body)) as made:
        world = at(f"http://127.0.0.1:{made.port}")
        plan = SilenceAlerts(alerts=("A",)).plan(world)
        with pytest.raises(DriverError):
            SilenceAlerts(alerts=("A",)).active(plan, world)


def test_a_server_whose_clock_is_ahead_is_given_its_own_time() -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    date = ahead.strftime("%a, %d %b %Y %H:%M:%S GMT")
    with receiver(answer(200, b"{}", Date=date)) as made:
        world = at(f"http://127.0.0.1:{made.port}")
        driver = SilenceAlerts(alerts=("A",))
        driver.inject(driver.plan(world), world)
        sent = made.requests[-1].json
    assert 0 < (datetime.fromisoformat(sent["endsAt"]) - ahead).total_seconds() <= 15
