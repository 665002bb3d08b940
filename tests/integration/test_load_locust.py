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
from gameday.schema.experiment import LoadProfile
from gameday.spi.errors import LoadError
from gameday.spi.world import Secrets
from tests.fakes.load_run import Heard, run_load, server_stats, stall_server

EVERYTHING = Path(__file__).parents[1] / "fakes" / "load_everything.py"
TASKS = EVERYTHING.with_name("load_tasks.py")


def load(address: str, **more: Any) -> LoadProfile:
    document = {"target": f"http://{address}", "timeout": "1s", "locustfile": str(EVERYTHING), **more}
    return LoadProfile.model_validate(document)


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
        heard = run_load(load(address, args=args, **more), seconds, tmp_path)
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
        run_load(load(address, shape=True, env={"WITH_SHAPE": "short"}), 6, tmp_path)
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
        heard = run_load(load(address, stages=stages, classes=["Fast"]), 5.2, tmp_path, during=change)
    users = [tick["users"] for tick in heard.of("tick")[:-1]]
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


def test_arrivals_drive_tasks_by_weight_without_waiting(tmp_path: Path) -> None:
    with stall_server() as address:
        heard = run_load(load(address, locustfile=str(TASKS), rate="100/s"), 2.0, tmp_path)
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
            load(address, locustfile=str(TASKS), rate="60/s", timeout="3s", tags=["read"]),
            4.0,
            tmp_path,
            limits_us=(500_000,),
        )
    assert heard.slower(500_000) / heard.rows == pytest.approx(0.25, abs=0.08)


@pytest.mark.slow
def test_a_black_hole_behind_a_locustfile_shows_in_pulses_and_is_a_timeout(tmp_path: Path) -> None:
    """HttpUser has no timeout of its own: the file's decides."""
    with stall_server() as address:
        profile = load(
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
        profile = load(address, locustfile=str(locustfile), rate="50/s", max_in_flight=5)
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
        profile = load(address, locustfile=str(TASKS), rate="40/s", classes=["Reader"], processes=2)
        heard = run_load(profile, 3.0, tmp_path, during=faster)
    assert max(round(tick["rate"]) for tick in heard.of("tick")) == 120
    slots: dict[int, int] = {}
    for message in heard.of("agg"):
        for slot, _, _, count, _ in message["rows"]:
            slots[slot] = slots.get(slot, 0) + count
    assert sum(count == 4 for count in slots.values()) >= 8, "40/s, of both processes together"
    assert sum(count == 12 for count in slots.values()) >= 12, "120/s, for the rest"


@pytest.mark.parametrize(
    ("body", "more", "says"),
    [
        (
            "@task\n    class Nested(TaskSet):\n        @task\n        def x(self): pass",
            {"rate": "1/s"},
            "has the TaskSet Nested",
        ),
        (
            "@task\n    class S(SequentialTaskSet):\n        @task\n        def x(self): pass",
            {"rate": "1/s"},
            "has the TaskSet S",
        ),
        ("def run(self): pass", {"rate": "1/s"}, r"has a run\(\) of its own"),
        ("@task\n    def x(self): pass", {"rate": "1/s", "tags": ["none"]}, "has no task left"),
        ("@task\n    def x(self): pass", {"shape": True}, "has no LoadTestShape"),
    ],
)
def test_what_a_locustfile_cannot_do_is_said_before_the_load_begins(
    tmp_path: Path, body: str, more: dict[str, Any], says: str
) -> None:
    locustfile = tmp_path / "lf.py"
    locustfile.write_text(f"from locust import *\nclass U(HttpUser):\n    {body}\n")
    with pytest.raises(LoadError, match=says):
        run_load(load("127.0.0.1:9", locustfile=str(locustfile), **more), 0.1, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "import nonsense_module",
        "x = (",
        "from locust import events\n@events.init.add_listener\ndef bad(**kw):\n    1/0",
    ],
)
def test_a_locustfile_that_fails_is_told_with_its_log(tmp_path: Path, text: str) -> None:
    locustfile = tmp_path / "lf.py"
    locustfile.write_text(
        f"{text}\nfrom locust import HttpUser, task\nclass U(HttpUser):\n    @task\n    def x(self): pass\n"
    )
    with pytest.raises(LoadError, match="ended before it was ready") as caught:
        run_load(load("127.0.0.1:9", locustfile=str(locustfile), users=1), 0.1, tmp_path)
    assert "Error" in str(caught.value)


@pytest.mark.slow
def test_locusts_own_files_and_variables_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (".locust.conf", "locust.conf"):
        (tmp_path / name).write_text("users = 99\nrun-time = 1s\nhost = http://127.0.0.1:9\nnonsense-option = 1\n")
    (tmp_path / "pyproject.toml").write_text("[tool.locust]\nusers = 77\nhost = 'http://127.0.0.1:9'\n")
    (tmp_path / "lf.py").write_text(TASKS.read_text())
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCUST_USERS", "55")
    monkeypatch.setenv("LOCUST_HOST", "http://127.0.0.1:9")
    with stall_server() as address:
        heard = run_load(load(address, locustfile="lf.py", users=3, classes=["Reader"]), 1.3, tmp_path, base=tmp_path)
    assert set(heard.counts()["read"]) == {"ok"}
    assert max(tick["users"] for tick in heard.of("tick")) == 3


def test_a_secret_reaches_the_locustfile_and_nothing_else(tmp_path: Path) -> None:
    seen: dict[str, bytes] = {}

    async def look(child: LoadChild) -> None:
        for name in ("cmdline", "environ"):
            seen[name] = await anyio.Path(f"/proc/{child.pid}/{name}").read_bytes()

    (tmp_path / "lf.py").write_text(
        "import os\nfrom locust import FastHttpUser, task, constant\n"
        "print('token', os.environ['TOKEN'])\n"
        "class U(FastHttpUser):\n    wait_time = constant(0.1)\n    @task\n    def go(self):\n"
        "        with self.client.get('/private', headers={'Authorization': os.environ['TOKEN']}, catch_response=True) as r:\n"
        "            if not r.json()['authorized']:\n                r.failure('token ' + os.environ['TOKEN'])\n"
        "            elif 'X' not in os.environ:\n                r.failure('as expected ' + os.environ['TOKEN'])\n"
    )
    secret = "Bearer s3cr3t-t0ken"
    with stall_server() as address:
        profile = load(address, locustfile="lf.py", users=1, env={"TOKEN": "${token}"})
        heard = run_load(profile, 0.8, tmp_path, secrets=Secrets(values={"token": secret}), during=look, base=tmp_path)
    assert any("as expected ***" in message["text"] for message in heard.of("log"))
    log = (tmp_path / "load.log").read_bytes()
    assert b"token ***" in log
    for text in (*seen.values(), log, json.dumps(heard.messages).encode()):
        assert secret.encode() not in text


@pytest.mark.slow
def test_names_without_end_are_folded(tmp_path: Path) -> None:
    (tmp_path / "lf.py").write_text(
        "import itertools\nfrom locust import FastHttpUser, task\nnumbers = itertools.count()\n"
        "class U(FastHttpUser):\n    @task\n    def go(self):\n        self.client.get(f'/item/{next(numbers)}')\n"
    )
    with stall_server() as address:
        heard = run_load(load(address, locustfile="lf.py", rate="200/s"), 1.5, tmp_path, base=tmp_path)
    assert len(heard.counts()) == 201
    assert sum(heard.counts()["(other)"].values()) == heard.rows - 200 > 50


@pytest.mark.slow
def test_a_client_of_its_own_is_counted_when_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "lf.py").write_text(
        "import time\nfrom locust import User, task, constant\n"
        "class U(User):\n    wait_time = constant(0.1)\n    @task\n    def go(self):\n"
        "        self.environment.events.request.fire(request_type='X', name='own', response_time=12.5, response_length=0,\n"
        "            exception=None, context={})\n"
        "    @task\n    def bad(self):\n"
        "        self.environment.events.request.fire(request_type='X', name='bad', response_time=400, response_length=0,\n"
        "            exception=ConnectionResetError('x'), context={})\n"
    )
    with stall_server() as address:
        heard = run_load(load(address, locustfile="lf.py", users=4), 1.0, tmp_path, base=tmp_path)
    assert set(heard.counts()["own"]) == {"ok"}
    assert set(heard.counts()["bad"]) == {"reset"}
    assert heard.slower(300_000, "reset") == sum(heard.counts()["bad"].values())
    assert heard.slower(300_000) == 0


@pytest.mark.slow
def test_stop_with_hung_requests_of_users_ends_in_time(tmp_path: Path) -> None:
    (tmp_path / "lf.py").write_text(
        "from locust import HttpUser, task\nclass U(HttpUser):\n    @task\n    def go(self):\n        self.client.get('/hang')\n"
    )
    with stall_server() as address:
        heard = run_load(load(address, locustfile="lf.py", users=30, timeout="700ms"), 1.2, tmp_path, base=tmp_path)
    assert set(heard.counts()["/hang"]) == {"timeout"}
    assert heard.bye["drained"] is True
    assert heard.stop_s < 3.5


@pytest.mark.slow
def test_the_working_folder_is_the_locustfiles(tmp_path: Path) -> None:
    folder = tmp_path / "load"
    folder.mkdir()
    (folder / "names.txt").write_text("from-a-file")
    (folder / "helper_of_ours.py").write_text("NAME = open('names.txt').read()")
    (folder / "lf.py").write_text(
        "import helper_of_ours\nfrom locust import FastHttpUser, task, constant\nclass U(FastHttpUser):\n"
        "    wait_time = constant(0.1)\n    @task\n    def go(self):\n        self.client.get('/', name=helper_of_ours.NAME)\n"
    )
    with stall_server() as address:
        heard = run_load(load(address, locustfile="load/lf.py", users=1), 0.6, tmp_path, base=tmp_path)
    assert set(heard.counts()) == {"from-a-file"}


@pytest.mark.slow
@pytest.mark.parametrize("level", [{"rate": "30/s"}, {"users": 10}])
def test_the_shipped_locustfile_runs_in_both_models(tmp_path: Path, level: dict[str, Any]) -> None:
    shop = Path(__file__).parents[2] / "experiments" / "load" / "shop.py"
    with stall_server() as address:
        heard = run_load(load(address, locustfile=str(shop), args=["--sku", "B2"], **level), 1.5, tmp_path)
    kinds = {name: set(found) for name, found in heard.counts().items()}
    assert kinds == {"browse": {"ok"}, "checkout": {"check"}}, "the server sells nothing: no order is a failure"


@pytest.mark.slow
@pytest.mark.parametrize("more", [{"users": 5}, {"users": 5, "processes": 2}, {"rate": "50/s"}])
def test_a_load_that_is_stopped_before_it_begins_asks_for_nothing(tmp_path: Path, more: dict[str, Any]) -> None:
    async def scenario() -> list[Message]:
        child = await LoadChild.start(
            load(address, locustfile=str(TASKS), **more),
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
        heard = run_load(load(address, locustfile="lf.py", rate="60/s", timeout="500ms"), 3.0, tmp_path, base=tmp_path)
    assert heard.counts()["(not sent)"]["generator"] >= 1
    assert sum(tick["late"] for tick in heard.of("tick")) > 20
    assert heard.rows == heard.bye["offered"]


@pytest.mark.parametrize("client", ["HttpUser", "FastHttpUser"])
def test_no_request_leaves_for_a_host_that_may_not_be_loaded(client: str, tmp_path: Path) -> None:
    """Neither by its URL nor by a redirect: the other name of the same server never hears of them."""
    (tmp_path / "lf.py").write_text(
        f"from locust import {client}, task\n"
        f"class U({client}):\n    @task\n    def go(self):\n"
        "        other = self.host.replace('127.0.0.1', 'localhost')\n"
        "        self.client.get('/ok', name='own')\n"
        "        self.client.get(other + '/elsewhere', name='elsewhere')\n"
        "        self.client.get('/away/localhost', name='sent away')\n"
    )
    with stall_server() as address:
        heard = run_load(load(address, locustfile="lf.py", rate="20/s"), 0.5, tmp_path, base=tmp_path)
        paths = server_stats(address)["paths"]
    counts = heard.counts()
    assert set(counts["own"]) == {"ok"}
    assert set(counts["elsewhere"]) == set(counts["sent away"]) == {"generator"}
    assert set(paths) == {"/ok", "/away/localhost"}
    assert any("localhost may not be loaded" in json.dumps(message) for message in heard.of("log"))
