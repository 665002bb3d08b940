"""Exported requests, run by plain Locust against a real server: the same endpoints, weights, data and checks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gameday.load.export import to_locustfile, users_for
from gameday.schema.experiment import LoadProfile
from gameday.spi.errors import LoadError
from tests.fakes.load_run import server_stats, stall_server
from tests.fakes.stall_server import SECRET

REQUESTS: list[dict[str, Any]] = [
    {"name": "browse", "weight": 6, "get": "/item/{{ pick(skus) }}", "check": ['json.items.0.sku == "A1"', "latency < 5s"]},
    {"name": "buy it", "weight": 3, "post": "/buy", "json": {"sku": "{{ pick(skus) }}", "n": "{{ randint(1, 3) }}"}},
    {"name": "class", "weight": 1, "get": "/private", "headers": {"Authorization": "${token}"}, "check": ["json.authorized == true"]},
    {"name": "gone", "weight": 1, "get": "/status/404", "check": ["status == 404"]},
    {"name": "gone!", "weight": 1, "get": "/status/404"},
    {"name": "run", "weight": 1, "get": "/x", "check": ['body contains "nothing"', 'header.Content-Type == "application/json"']},
]  # fmt: skip
DATA = {"skus": ["A1", "B2"]}


def profile(target: str, **more: Any) -> LoadProfile:
    document = {
        "target": target,
        "rate": "60/s",
        "requests": REQUESTS,
        "headers": {"X-Run": "r-{{ counter() }}"},
        **more,
    }
    return LoadProfile.model_validate(document)


def run_plain_locust(source: str, folder: Path, seconds: int, *more: str) -> dict[str, Any]:
    """Run a locustfile as anybody would; return Locust's statistics by name."""
    locustfile = folder / "exported.py"
    locustfile.write_text(source)
    done = subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(locustfile), "--headless", "-t", f"{seconds}s", "--json", *more],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "token": SECRET},
        timeout=60,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return {entry["name"]: entry for entry in json.loads(done.stdout)}


@pytest.mark.slow
def test_plain_locust_makes_the_same_requests(tmp_path: Path) -> None:
    with stall_server() as address:
        source = to_locustfile(profile(f"http://{address}"), DATA)
        entries = run_plain_locust(source, tmp_path, 8, "--users", "60", "--spawn-rate", "60")
        paths: Counter[str] = Counter(server_stats(address)["paths"])
    assert SECRET not in source
    counts = {name: entry["num_requests"] for name, entry in entries.items()}
    assert set(counts) == {request["name"] for request in REQUESTS}
    total = sum(counts.values())
    assert 300 < total <= 500
    for request in REQUESTS:
        assert counts[request["name"]] / total == pytest.approx(request["weight"] / 13, abs=0.07)
    assert paths["/item/A1"] + paths["/item/B2"] == counts["browse"]
    assert min(paths["/item/A1"], paths["/item/B2"]) > 50
    failed = {name for name, entry in entries.items() if entry["num_failures"]}
    assert failed == {"gone!", "run"}


@pytest.mark.slow
def test_stages_become_a_shape(tmp_path: Path) -> None:
    stages = [{"rate": "5/s", "hold": "2s"}, {"rate": "20/s", "ramp": "1s", "hold": "2s"}]
    with stall_server() as address:
        source = to_locustfile(
            profile(f"http://{address}", stages=stages, rate=None, requests=[{"name": "a", "get": "/"}])
        )
        entries = run_plain_locust(source, tmp_path, 60)
    assert entries["a"]["num_requests"] == pytest.approx(5 * 2 + 12 + 20 * 2, abs=22)


def test_the_source_is_readable_and_says_what_the_model_is() -> None:
    source = to_locustfile(profile("http://shop.example/", requests=[{"name": "home", "get": "/"}], headers={}))
    compile(source, "exported.py", "exec")
    assert "import os" not in source
    assert "jinja2" not in source
    assert (
        "    @task(1)\n    def home(self):\n        self.client.request('GET', '/', name='home', allow_redirects=False)\n"
        in source
    )
    assert "60 requests a second" in source
    assert "in no statistic" in source
    assert "insecure = False" in source


def test_users_ask_for_as_much_as_the_rate() -> None:
    assert users_for(profile("http://x", rate="30/min")) == (1, 0.5)
    assert users_for(profile("http://x", rate="2.5/s"))[0] == 3
    assert users_for(profile("http://x", rate=None, users=7)) == (7, 1.0)


def test_a_locustfile_is_one_already() -> None:
    with pytest.raises(LoadError, match="nothing to export"):
        to_locustfile(LoadProfile.model_validate({"target": "http://x", "locustfile": "a.py", "users": 1}))
