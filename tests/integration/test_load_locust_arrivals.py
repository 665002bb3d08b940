"""Arrivals that drive the tasks of an unchanged locustfile: by weight, from their intended start, and counted when they are not sent."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from gameday.load.generator import LoadChild
from tests.fakes.load_run import TASKS, locust_profile, run_load, stall_server


def test_arrivals_drive_tasks_by_weight_without_waiting(tmp_path: Path) -> None:
    with stall_server() as address:
        heard = run_load(locust_profile(address, locustfile=str(TASKS), rate="100/s"), 2.0, tmp_path)
    counts = {name: sum(kinds.values()) for name, kinds in heard.counts().items()}
    arrivals = counts["browse"] + counts["buy"] + counts["read"]
    assert arrivals == pytest.approx(200, abs=15), "wait_time of 5 to 10 seconds would have made a handful"
    assert counts["read"] == pytest.approx(arrivals / 4, abs=2), "classes in exact turns: 3 to 1"
    assert counts["receipt"] == counts["buy"]
    assert counts["login"] < arrivals / 4, "users are used again: as many as were busy at once, not one an arrival"
    assert heard.rows == heard.bye["offered"]
    assert max(tick["lag_p99_ms"] for tick in heard.of("tick")) < 1000


@pytest.mark.slow
def test_the_first_request_counts_from_the_intended_start_also_behind_a_stall(tmp_path: Path) -> None:
    """A server that stalls for 1 of 2 seconds: of arrivals spread evenly over it, a quarter waits half a second or longer."""
    with stall_server("--stall", "1", "--period", "2") as address:
        heard = run_load(
            locust_profile(address, locustfile=str(TASKS), rate="60/s", timeout="3s", tags=["read"]),
            4.0,
            tmp_path,
            limits_us=(500_000,),
        )
    assert heard.slower(500_000) / heard.rows == pytest.approx(0.25, abs=0.08)


@pytest.mark.slow
def test_a_black_hole_behind_a_locustfile_shows_in_pulses_and_is_a_timeout(tmp_path: Path) -> None:
    """HttpUser has no timeout of its own: the file's decides."""
    with stall_server() as address:
        profile = locust_profile(
            address, locustfile=str(TASKS), rate="40/s", tags=["read"], classes=["Buyer"], env={"BROWSE": "/hang"}
        )
        heard = run_load(profile, 2.2, tmp_path)
    pulses = heard.of("pulse")
    blind = [pulse for pulse in pulses if pulse["over"]["300000"] >= 8]
    assert blind, "what is in flight for longer than 300 ms is told"
    assert blind[0]["bad"] == 0, "long before anything completes"
    assert set(heard.counts()["browse"]) == {"timeout"}
    assert heard.stop_s < 4
    assert heard.rows == heard.bye["offered"]


@pytest.mark.slow
def test_what_is_not_sent_counts_for_the_endpoint_that_it_would_have_met(tmp_path: Path) -> None:
    async def block(_: LoadChild) -> None:
        await anyio.sleep(0.6)
        switch.touch()

    switch = tmp_path / "switch"
    locustfile = tmp_path / "lf.py"
    locustfile.write_text(
        "import os\nfrom locust import FastHttpUser, task\n"
        "class U(FastHttpUser):\n    @task\n    def go(self):\n"
        f"        self.client.get('/hang' if os.path.exists({str(switch)!r}) else '/', name='go')\n"
    )
    with stall_server() as address:
        profile = locust_profile(address, locustfile=str(locustfile), rate="50/s", max_in_flight=5)
        heard = run_load(profile, 1.5, tmp_path, during=block)
    assert set(heard.counts()) == {"go"}
    assert heard.counts()["go"]["capped"] > 10
    assert heard.rows == heard.bye["offered"]


@pytest.mark.slow
def test_a_rate_changed_live_drives_tasks_at_once(tmp_path: Path) -> None:
    async def faster(child: LoadChild) -> None:
        await anyio.sleep(1.2)
        await child.set_rate(120)

    with stall_server() as address:
        profile = locust_profile(address, locustfile=str(TASKS), rate="40/s", classes=["Reader"], processes=2)
        heard = run_load(profile, 3.0, tmp_path, during=faster)
    assert max(round(tick["rate"]) for tick in heard.of("tick")) == 120
    slots: dict[int, int] = {}
    for message in heard.of("agg"):
        for slot, _, _, count, _ in message["rows"]:
            slots[slot] = slots.get(slot, 0) + count
    assert sum(count == 4 for count in slots.values()) >= 8, "40/s, of both processes together"
    assert sum(count == 12 for count in slots.values()) >= 12, "120/s, for the rest"


@pytest.mark.slow
def test_names_without_end_are_folded(tmp_path: Path) -> None:
    (tmp_path / "lf.py").write_text(
        "import itertools\nfrom locust import FastHttpUser, task\nnumbers = itertools.count()\n"
        "class U(FastHttpUser):\n    @task\n    def go(self):\n        self.client.get(f'/item/{next(numbers)}')\n"
    )
    with stall_server() as address:
        heard = run_load(locust_profile(address, locustfile="lf.py", rate="200/s"), 1.5, tmp_path, base=tmp_path)
    assert len(heard.counts()) == 201
    assert sum(heard.counts()["(other)"].values()) == heard.rows - 200 > 50


@pytest.mark.slow
def test_arrivals_that_we_never_came_to_are_the_generators_failure(tmp_path: Path) -> None:
    """A locustfile that keeps the processor to itself for a while: what is late is ours, and no failure of the system."""
    (tmp_path / "lf.py").write_text(
        "import time\nfrom locust import FastHttpUser, task\n"
        "class U(FastHttpUser):\n    blocked = False\n    @task\n    def go(self):\n"
        "        end = time.perf_counter() + (0 if U.blocked else 1.5)\n        U.blocked = True\n"
        "        while time.perf_counter() < end: pass\n"
        "        self.client.get('/', name='go')\n"
    )
    with stall_server() as address:
        heard = run_load(
            locust_profile(address, locustfile="lf.py", rate="60/s", timeout="500ms"), 3.0, tmp_path, base=tmp_path
        )
    assert heard.counts()["(not sent)"]["generator"] >= 1
    assert sum(tick["late"] for tick in heard.of("tick")) > 20
    assert heard.rows == heard.bye["offered"]
