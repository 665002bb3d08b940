"""Unchanged locustfiles through us: everything of Locust works, and what we count is what Locust counts."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from gameday.load.generator import LoadChild
from gameday.load.protocol import Message
from gameday.spi.errors import LoadError
from gameday.spi.world import Secrets
from tests.fakes.load_run import TASKS, Heard, locust_profile, run_load, server_stats, stall_server


def rows_as_locust_has_them(heard: Heard) -> dict[str, list[int]]:
    return {
        name: [sum(kinds.values()), sum(n for kind, n in kinds.items() if kind != "ok")]
        for name, kinds in heard.counts().items()
    }


def run_with_totals(tmp_path: Path, seconds: float, **more: Any) -> tuple[Heard, dict[str, list[int]]]:
    """Run, and return what was heard and what Locust itself counted."""
    totals = tmp_path / "totals.json"
    args = [*more.pop("args", ()), "--totals", str(totals)]
    with stall_server() as address:
        heard = run_load(locust_profile(address, args=args, **more), seconds, tmp_path)
    assert heard.rows == heard.bye["offered"] == heard.bye["completed"]
    return heard, json.loads(totals.read_text())


def test_tasks_tasksets_hooks_and_arguments_with_both_clients(tmp_path: Path) -> None:
    heard, totals = run_with_totals(tmp_path, 2.0, users=6, args=["--item", "7"])
    assert rows_as_locust_has_them(heard) == totals
    counts = heard.counts()
    assert set(counts) >= {"login", "logout", "item", "/pay", "/browse", "missing", "broken"}
    kinds = {name: set(found) for name, found in counts.items()}
    assert (kinds["missing"], kinds["broken"], kinds["/pay"]) == ({"http_4xx"}, {"http_5xx"}, {"check"})
    assert counts["login"] == counts["logout"] == {"ok": 3}
    assert max(tick["users"] for tick in heard.of("tick")) == 6


@pytest.mark.slow
def test_tags_and_classes_choose(tmp_path: Path) -> None:
    heard, totals = run_with_totals(
        tmp_path, 1.0, users=4, tags=["read", "pay"], exclude_tags=["pay"], classes=["Fast"]
    )
    assert rows_as_locust_has_them(heard) == totals
    assert set(heard.counts()) == {"login", "item", "logout"}


@pytest.mark.slow
def test_a_shape_decides_when_the_file_says_so(tmp_path: Path) -> None:
    heard, totals = run_with_totals(tmp_path, 3.6, shape=True, env={"WITH_SHAPE": "long"})
    assert rows_as_locust_has_them(heard) == totals
    users = [tick["users"] for tick in heard.of("tick")]
    assert users[0] == 4
    assert max(users) == 8


@pytest.mark.slow
def test_a_shape_that_ends_before_the_run_is_a_loss(tmp_path: Path) -> None:
    with stall_server() as address, pytest.raises(ExceptionGroup) as caught:
        run_load(locust_profile(address, shape=True, env={"WITH_SHAPE": "short"}), 6, tmp_path)
    assert caught.group_contains(LoadError, match="the load ended by itself, before the run did")


@pytest.mark.slow
def test_users_of_the_file_win_over_a_shape(tmp_path: Path) -> None:
    heard, _ = run_with_totals(tmp_path, 2.3, users=2, env={"WITH_SHAPE": "short"})
    assert max(tick["users"] for tick in heard.of("tick")) == 2
    assert "LoadTestShape is not used" in (tmp_path / "load.log").read_text()


@pytest.mark.slow
def test_users_follow_stages_and_commands(tmp_path: Path) -> None:
    async def change(child: LoadChild) -> None:
        await anyio.sleep(3.2)
        await child.set_users(2)

    stages = [{"users": 2, "hold": "1s"}, {"users": 6, "ramp": "500ms", "hold": "1h"}]
    with stall_server() as address:
        heard = run_load(locust_profile(address, stages=stages, classes=["Fast"]), 5.2, tmp_path, during=change)
    users = [tick["users"] for tick in heard.ticks_on()]
    assert users[0] == 2
    assert max(users) == 6
    assert users[-1] == 2


@pytest.mark.slow
def test_locusts_own_processes_are_one_stream(tmp_path: Path) -> None:
    heard, totals = run_with_totals(tmp_path, 2.5, users=8, processes=2)
    assert rows_as_locust_has_them(heard) == totals
    ticks = heard.of("tick")
    assert {(tick["workers"], tick["missing"]) for tick in ticks} == {(2, 0)}
    assert max(tick["users"] for tick in ticks) == 8


@pytest.mark.slow
def test_stop_with_hung_requests_of_users_ends_in_time(tmp_path: Path) -> None:
    (tmp_path / "lf.py").write_text(
        "from locust import HttpUser, task\nclass U(HttpUser):\n    @task\n    def go(self):\n        self.client.get('/hang')\n"
    )
    with stall_server() as address:
        heard = run_load(
            locust_profile(address, locustfile="lf.py", users=30, timeout="700ms"), 1.2, tmp_path, base=tmp_path
        )
    assert set(heard.counts()["/hang"]) == {"timeout"}
    assert heard.bye["drained"] is True
    assert heard.stop_s < 3.5


@pytest.mark.slow
@pytest.mark.parametrize("more", [{"users": 5}, {"users": 5, "processes": 2}, {"rate": "50/s"}])
def test_a_load_that_is_stopped_before_it_begins_asks_for_nothing(tmp_path: Path, more: dict[str, Any]) -> None:
    async def scenario() -> list[Message]:
        child = await LoadChild.start(
            locust_profile(address, locustfile=str(TASKS), **more),
            limits_us=(),
            epoch_ns=time.monotonic_ns(),
            seed=1,
            logs=tmp_path,
            secrets=Secrets(),
        )
        try:
            await child.stop()
            return [message async for message in child.messages()]
        finally:
            await child.kill()

    with stall_server() as address:
        heard = anyio.run(scenario)
        assert server_stats(address)["paths"] == {}
    assert heard[-1]["t"] == "bye"
    assert heard[-1]["offered"] == 0
