"""Clients that were written for Toxiproxy drive ours, unchanged: from npm, from PyPI, and through the Chaos Toolkit."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.proxying import ProxyProcess, dependency, proxy_process, talks

FAKES = Path(__file__).parents[1] / "fakes"
NODE_CLIENT = "toxiproxy-node-client@4.1.0"
EIGHT = {"latency", "bandwidth", "slow_close", "timeout", "reset_peer", "slicer", "limit_data"}


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with dependency() as upstream:
        yield upstream


@pytest.fixture
def proxy(upstream: str) -> Iterator[ProxyProcess]:
    with proxy_process(upstream, proxies=[]) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def node_modules() -> Path:
    """Install the npm client beside the virtualenv's own packages, once."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("no node; sudo apt-get install -y npm")
    folder = Path(sys.prefix) / "npm-for-tests"
    if not (folder / "node_modules" / "toxiproxy-node-client").is_dir():
        folder.mkdir(exist_ok=True)
        words = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", NODE_CLIENT]
        done = subprocess.run(words, capture_output=True, text=True, timeout=50, cwd=folder)
        if done.returncode:
            pytest.skip(f"the client cannot be installed: npm install {NODE_CLIENT}")
    return folder / "node_modules"


def test_the_client_of_npm(proxy: ProxyProcess, upstream: str, node_modules: Path) -> None:
    done = subprocess.run(
        ["node", str(FAKES / "toxiproxy_node.js"), proxy.control, upstream],
        env={"NODE_PATH": str(node_modules), "PATH": "/usr/bin:/bin:/usr/local/bin"},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    assert seen["version"] == '{"version": "git"}\n'
    assert seen["created"]["enabled"] is True
    assert not seen["created"]["listen"].endswith(":0")
    assert seen["again"] == "Request failed with status code 409"
    assert {toxic["type"] for toxic in seen["toxics"]} == EIGHT
    assert all(toxic["toxicity"] == 0.5 for toxic in seen["toxics"])
    assert seen["updated"]["attributes"] == {"latency": 20, "jitter": 2}
    assert seen["removed"] == "Request failed with status code 404"
    assert seen["invalid"] == "Request failed with status code 400"
    assert seen["disabled"] is False
    assert seen["reset"]["enabled"] is True
    assert seen["populated"] == ["one", "two"]
    assert seen["all"] == ["node", "one", "two"]
    assert seen["gone"] == "Request failed with status code 404"


def test_the_client_of_pypi(proxy: ProxyProcess, upstream: str) -> None:
    done = subprocess.run(
        [sys.executable, str(FAKES / "toxiproxy_python.py"), proxy.control, upstream],
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    assert seen["created"] == ["python", upstream, True]
    assert (seen["exists"], seen["invalid"], seen["absent"]) == ("ProxyExists", "InvalidToxic", "NotFound")
    assert set(seen["toxics"]) == EIGHT
    assert seen["toxics"]["slicer"] == ["downstream", 1, {"average_size": 64, "size_variation": 32, "delay": 10}]
    assert seen["destroyed"] is True
    assert (seen["down"], seen["up"], seen["reset"]) == (False, True, [True, 0])
    assert seen["populated"] == ["p1"]
    assert seen["all"] == ["p1", "python"]
    assert seen["left"] == []


def action(name: str, function: str, **arguments: Any) -> dict[str, Any]:
    provider = {"type": "python", "module": "chaostoxi.proxy.actions", "func": function, "arguments": arguments}
    if function.endswith("toxic"):
        provider["module"] = "chaostoxi.toxic.actions"
    return {"type": "action", "name": name, "provider": provider}


def exists(name: str) -> dict[str, Any]:
    provider = {"type": "python", "module": "chaostoxi.proxy.probes", "func": "proxy_exist"}
    return {
        "type": "probe",
        "name": f"{name} exists",
        "tolerance": True,
        "provider": {**provider, "arguments": {"proxy_name": name}},
    }


def test_the_chaos_toolkit(proxy: ProxyProcess, upstream: str, tmp_path: Path) -> None:
    """An experiment as its users have it: hypothesis, method and rollbacks with the extension's own actions."""
    assert proxy.call("POST", "/proxies", {"name": "shop", "listen": "127.0.0.1:0", "upstream": upstream})[0] == 201
    host, port = proxy.control_address
    host_of, _, port_of = upstream.rpartition(":")
    experiment = {
        "title": "The shop survives toxics",
        "description": "Driven by chaostoolkit-toxiproxy.",
        "configuration": {"toxiproxy_host": host, "toxiproxy_port": port},
        "steady-state-hypothesis": {"title": "the proxy is there", "probes": [exists("shop")]},
        "method": [
            action("make", "create_proxy", proxy_name="more", upstream_host=host_of, upstream_port=int(port_of), listen_host="127.0.0.1"),
            action("slow", "create_latency_toxic", for_proxy="shop", toxic_name="slow", latency=300, jitter=10),
            action("narrow", "create_bandwith_degradation_toxic", for_proxy="shop", toxic_name="narrow", rate=5000),
            action("late", "create_slow_connection_close_toxic", for_proxy="shop", toxic_name="late", delay=10),
            action("slice", "create_slicer_toxic", for_proxy="shop", toxic_name="slice", average_size=100, size_variation=10, delay=1),
            action("limit", "create_limiter_toxic", for_proxy="more", toxic_name="limit", bytes_limit=1000),
            action("hang", "create_timeout_toxic", for_proxy="more", toxic_name="hang", timeout=1000),
            action("off", "disable_proxy", proxy_name="more"),
            action("on", "enable_proxy", proxy_name="more"),
            action("unslice", "delete_toxic", for_proxy="shop", toxic_name="slice"),
        ],
        "rollbacks": [action("gone", "delete_proxy", proxy_name="more")],
    }  # fmt: skip
    (tmp_path / "experiment.json").write_text(json.dumps(experiment))
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("chaos")),
            "--no-version-check",
            "run",
            "--rollback-strategy=always",
            "experiment.json",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=55,
    )
    journal = json.loads((tmp_path / "journal.json").read_text())
    assert done.returncode == 0, done.stdout + done.stderr
    assert (journal["status"], journal["deviated"]) == ("completed", False)
    assert [step["status"] for step in journal["run"] + journal["rollbacks"]] == ["succeeded"] * 11
    assert all(step["output"] for step in journal["run"] if step["activity"]["name"] != "unslice")
    left = proxy.call("GET", "/proxies")[1]
    assert set(left) == {"shop"}
    assert [toxic["name"] for toxic in left["shop"]["toxics"]] == ["slow", "narrow", "late"]
    proxy.ready["listens"]["shop"] = left["shop"]["listen"]
    began = time.monotonic()
    assert talks(proxy.connect("shop"))
    assert time.monotonic() - began >= 0.29
