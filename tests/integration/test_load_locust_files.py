"""What a locustfile of one's own may do and not: its errors, its folder, its secrets, its hosts, its own clients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from gameday.load.generator import LoadChild
from gameday.spi.errors import LoadError
from gameday.spi.world import Secrets
from tests.fakes.load_run import TASKS, locust_profile, run_load, server_stats, stall_server


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
        run_load(locust_profile("127.0.0.1:9", locustfile=str(locustfile), **more), 0.1, tmp_path)


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
        run_load(locust_profile("127.0.0.1:9", locustfile=str(locustfile), users=1), 0.1, tmp_path)
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
        heard = run_load(
            locust_profile(address, locustfile="lf.py", users=3, classes=["Reader"]), 1.3, tmp_path, base=tmp_path
        )
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
        profile = locust_profile(address, locustfile="lf.py", users=1, env={"TOKEN": "${token}"})
        heard = run_load(profile, 0.8, tmp_path, secrets=Secrets(values={"token": secret}), during=look, base=tmp_path)
    assert any("as expected ***" in message["text"] for message in heard.of("log"))
    log = (tmp_path / "load.log").read_bytes()
    assert b"token ***" in log
    for text in (*seen.values(), log, json.dumps(heard.messages).encode()):
        assert secret.encode() not in text


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
        heard = run_load(locust_profile(address, locustfile="lf.py", users=4), 1.0, tmp_path, base=tmp_path)
    assert set(heard.counts()["own"]) == {"ok"}
    assert set(heard.counts()["bad"]) == {"reset"}
    assert heard.slower(300_000, "reset") == sum(heard.counts()["bad"].values())
    assert heard.slower(300_000) == 0


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
        heard = run_load(locust_profile(address, locustfile="load/lf.py", users=1), 0.6, tmp_path, base=tmp_path)
    assert set(heard.counts()) == {"from-a-file"}


@pytest.mark.slow
@pytest.mark.parametrize("level", [{"rate": "30/s"}, {"users": 10}])
def test_the_shipped_locustfile_runs_in_both_models(tmp_path: Path, level: dict[str, Any]) -> None:
    shop = Path(__file__).parents[2] / "experiments" / "load" / "shop.py"
    with stall_server() as address:
        heard = run_load(locust_profile(address, locustfile=str(shop), args=["--sku", "B2"], **level), 1.5, tmp_path)
    kinds = {name: set(found) for name, found in heard.counts().items()}
    assert kinds == {"browse": {"ok"}, "checkout": {"check"}}, "the server sells nothing: no order is a failure"


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
        heard = run_load(locust_profile(address, locustfile="lf.py", rate="20/s"), 0.5, tmp_path, base=tmp_path)
        paths = server_stats(address)["paths"]
    counts = heard.counts()
    assert set(counts["own"]) == {"ok"}
    assert set(counts["elsewhere"]) == set(counts["sent away"]) == {"generator"}
    assert set(paths) == {"/ok", "/away/localhost"}
    assert any("localhost may not be loaded" in json.dumps(message) for message in heard.of("log"))
