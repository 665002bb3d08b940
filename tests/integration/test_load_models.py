"""A file's own requests in each model: users, stages, random arrivals, several processes, templates, and changes while it is on."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import pytest

from gameday.load.generator import LoadChild
from gameday.schema.experiment import LoadProfile
from gameday.spi.errors import LoadError
from tests.fakes.load_run import Heard, run_load, server_stats, stall_server

HOME = [{"name": "home", "get": "/"}]
HANG = [{"name": "hang", "get": "/hang"}]


def load(address: str, **more: Any) -> LoadProfile:
    document = {"target": f"http://{address}", "timeout": "1s", "requests": HOME, **more}
    return LoadProfile.model_validate(document)


def slots(heard: Heard) -> Counter[int]:
    found: Counter[int] = Counter()
    for message in heard.of("agg"):
        for slot, _, _, count, _ in message["rows"]:
            found[slot] += count
    return found


def whole(heard: Heard) -> None:
    """Every arrival is in the rows once."""
    assert heard.rows == heard.bye["offered"] == heard.bye["completed"] > 0
    assert heard.bye["drained"] is True


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.slow
def test_users_begin_a_request_a_second_each_and_spread_them(tmp_path: Path) -> None:
    with stall_server() as address:
        heard = run_load(load(address, users=20), 2.4, tmp_path)
    whole(heard)
    assert max(tick["users"] for tick in heard.of("tick")) == 20
    assert heard.rows == pytest.approx(48, abs=5)
    assert max(slots(heard).values()) <= 5, "not all at once"


@pytest.mark.slow
def test_a_user_waits_for_its_answer(tmp_path: Path) -> None:
    with stall_server() as address:
        heard = run_load(load(address, users=5, requests=HANG, timeout="1500ms"), 1.2, tmp_path)
    assert heard.counts() == {"hang": {"timeout": 5}}


@pytest.mark.slow
def test_users_come_as_fast_as_the_file_says(tmp_path: Path) -> None:
    with stall_server() as address:
        heard = run_load(load(address, users=20, spawn_rate="4/s"), 2.2, tmp_path)
    users = [tick["users"] for tick in heard.ticks_on()]
    assert users == sorted(users)
    assert 5 <= max(users) <= 10


def test_several_processes_make_the_very_same_arrivals_as_one(tmp_path: Path) -> None:
    with stall_server() as address:
        heard = run_load(load(address, rate="100/s", processes=2), 1.5, tmp_path)
    whole(heard)
    found = slots(heard)
    assert {found[slot] for slot in sorted(found)[1:-1]} == {10}, "at 100/s each slot of 100 ms holds ten"
    assert [(t["workers"], t["missing"]) for t in heard.of("tick")] == [(2, 0)] * len(heard.of("tick"))
    assert {round(tick["rate"]) for tick in heard.of("tick")} == {100}
    assert [m["t"] for m in heard.messages][-2:] == ["tick", "bye"]


@pytest.mark.slow
def test_users_are_shared_by_processes(tmp_path: Path) -> None:
    with stall_server() as address:
        heard = run_load(load(address, users=5, processes=2), 1.5, tmp_path)
    whole(heard)
    assert max(tick["users"] for tick in heard.of("tick")) == 5


@pytest.mark.slow
def test_a_process_that_is_killed_is_missing_and_the_load_is_not_whole(tmp_path: Path) -> None:
    async def kill_one(child: LoadChild) -> None:
        await anyio.sleep(0.8)
        os.kill(children(child.pid)[0], signal.SIGKILL)

    with stall_server() as address:
        heard = run_load(load(address, rate="50/s", processes=2), 2.5, tmp_path, during=kill_one)
    assert (heard.of("tick")[-1]["workers"], heard.of("tick")[-1]["missing"]) == (1, 1)
    assert heard.bye["drained"] is False
    assert any("is lost (exit code -9)" in message["text"] for message in heard.of("log"))


@pytest.mark.slow
def test_stages_ramp_and_hold(tmp_path: Path) -> None:
    stages = [{"rate": "100/s", "ramp": "1s", "hold": "1s"}, {"rate": "20/s", "hold": "1s"}]
    with stall_server() as address:
        heard = run_load(load(address, stages=stages), 2.6, tmp_path)
    whole(heard)
    assert heard.rows == pytest.approx(50 + 100 + 12, abs=4)
    found = slots(heard)
    first = min(found)
    ramp = sum(found[slot] for slot in range(first, first + 10))
    assert ramp == pytest.approx(50, abs=12)


@pytest.mark.slow
def test_random_arrivals_repeat_with_the_seed(tmp_path: Path) -> None:
    with stall_server() as address:
        heard = [run_load(load(address, rate="100/s", arrivals="poisson"), 1.5, tmp_path) for _ in range(2)]
    counts = [[slots(one)[slot] for slot in sorted(slots(one))][1:12] for one in heard]
    for one in heard:
        whole(one)
    assert len(set(counts[0])) > 3, "not evenly spaced"
    gaps = [sum(abs(a - b) for a, b in zip(*counts, strict=True)), sum(counts[0])]
    assert gaps[0] < gaps[1], "the same arrivals, but for where the slots' edges cut them"


@pytest.mark.slow
def test_a_rate_changed_live_is_there_in_the_next_second(tmp_path: Path) -> None:
    async def faster(child: LoadChild) -> None:
        await anyio.sleep(1.2)
        await child.set_rate(300)

    with stall_server() as address:
        heard = run_load(load(address, rate="50/s", timeout="500ms"), 3.2, tmp_path, during=faster)
    whole(heard)
    assert {"t": "ack", "cmd": "rate"} in heard.messages
    found = slots(heard)
    assert [found[slot] for slot in sorted(found)[2:9]] == [5] * 7
    changed = next(slot for slot in sorted(found) if found[slot] > 6)
    assert {found[slot] for slot in range(changed + 1, changed + 10)} == {30}
    assert heard.of("tick")[-1]["rate"] == 300
    assert "capped" not in heard.counts()["home"]


@pytest.mark.slow
def test_a_rate_changed_live_is_shared_by_processes_exactly(tmp_path: Path) -> None:
    async def faster(child: LoadChild) -> None:
        await anyio.sleep(0.8)
        await child.set_rate(200)

    with stall_server() as address:
        heard = run_load(load(address, rate="100/s", processes=2), 2.0, tmp_path, during=faster)
    whole(heard)
    assert set(list(slots(heard).values())[-8:-1]) == {20}


@pytest.mark.slow
def test_users_changed_live_come_and_go(tmp_path: Path) -> None:
    async def change(child: LoadChild) -> None:
        await anyio.sleep(1.0)
        await child.set_users(12)
        await anyio.sleep(1.5)
        await child.set_users(2)

    with stall_server() as address:
        heard = run_load(load(address, users=3), 4.2, tmp_path, during=change)
    whole(heard)
    users = [tick["users"] for tick in heard.of("tick")[:-1]]
    assert users[0] == 3
    assert max(users) == 12
    assert users[-1] == 2


@pytest.mark.slow
def test_only_what_the_model_has_can_be_changed(tmp_path: Path) -> None:
    async def wrong(child: LoadChild) -> None:
        with pytest.raises(LoadError, match="follow a rate"):
            await child.set_users(3)

    with stall_server() as address:
        run_load(load(address, rate="20/s"), 0.3, tmp_path, during=wrong)


def test_templates_are_sent_as_they_become_and_what_fails_is_ours(tmp_path: Path) -> None:
    requests = [
        {"name": "numbered", "get": "/n/{{ counter() }}/{{ pick(skus) }}"},
        {"name": "broken", "post": "/", "json": {"a": "{{ nope }}"}},
    ]
    with stall_server() as address:
        profile = load(address, rate="50/s", requests=requests, processes=2)
        heard = run_load(profile, 1.0, tmp_path, data={"skus": ["A", "B"]})
        paths = server_stats(address)["paths"]
    whole(heard)
    counts = heard.counts()
    assert set(counts["numbered"]) == {"ok"}
    assert set(counts["broken"]) == {"generator"}
    numbers = [int(path.split("/")[2]) for path in paths]
    assert len(numbers) == len(set(numbers)) == counts["numbered"]["ok"], "each number once, of both processes"
    assert {path.split("/")[3] for path in paths} == {"A", "B"}
    texts = [message["text"] for message in heard.of("log")]
    assert 1 <= len(texts) <= 2
    assert "broken: generator: its template failed: UndefinedError: 'nope' is undefined" in texts


@pytest.mark.parametrize("processes", [1, 2])
def test_a_template_that_cannot_be_read_is_said_before_anything_is_sent(tmp_path: Path, processes: int) -> None:
    with (
        stall_server() as address,
        pytest.raises(LoadError, match="the request 'home' has a template that cannot be read"),
    ):
        run_load(
            load(address, rate="1/s", requests=[{"name": "home", "get": "/{{ pick( }}"}], processes=processes),
            0.1,
            tmp_path,
        )
