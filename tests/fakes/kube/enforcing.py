"""What a network plugin that enforces policies does to pods: a NodePort that closes, an app that cannot reach what it needs."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.kube.cluster import FakeKube
from tests.fakes.kube.selection import Object, selected_by
from tests.fakes.kube.store import PODS, POLICIES, labels_of

_LOOK_SECONDS = 0.02


@contextmanager
def node_port(kube: FakeKube, app: str, *, namespace: str = "shop") -> Generator[str]:
    """Yield HOST:PORT that takes connections unless a policy denies ingress to the app; it follows within a moment."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    ended, opened = threading.Event(), threading.Event()

    def denied() -> bool:
        return any(
            "Ingress" in policy["spec"]["policyTypes"] and selected_by(policy["spec"]["podSelector"], {"app": app})
            for policy in kube.store.list(POLICIES, namespace)
        )

    def serve() -> None:
        while not ended.is_set():
            if denied():
                ended.wait(_LOOK_SECONDS)
                continue
            with socket.create_server(("127.0.0.1", port)) as server:
                server.settimeout(_LOOK_SECONDS)
                opened.set()
                while not denied() and not ended.is_set():
                    _take_one(server)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert opened.wait(5)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        ended.set()
        thread.join(5)


def _take_one(server: socket.socket) -> None:
    try:
        server.accept()[0].close()
    except TimeoutError:
        return


@contextmanager
def needing(
    kube: FakeKube, app: str, *, port: int = 80, address: str = "10.96.0.10", namespace: str = "shop"
) -> Generator[str]:
    """Yield the URL of an app that answers 200 while its pods may connect to that port and address, and 503 otherwise."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            """Say nothing."""

        def do_GET(self) -> None:
            self.send_response(200 if may_connect(kube, app, port, address, namespace) else 503)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join(5)


def may_connect(kube: FakeKube, app: str, port: int, address: str, namespace: str = "shop") -> bool:
    """Whether pods of an app may connect: no policy is about their egress, or one of them allows it (policies add up)."""
    about = [
        policy["spec"]
        for policy in kube.store.list(POLICIES, namespace)
        if "Egress" in policy["spec"]["policyTypes"] and selected_by(policy["spec"]["podSelector"], {"app": app})
    ]
    return not about or any(_allows(rule, port, address, kube) for spec in about for rule in spec.get("egress", []))


def _allows(rule: Object, port: int, address: str, kube: FakeKube) -> bool:
    ports: list[Object] = rule.get("ports") or [{"port": 1, "endPort": 65535}]
    tcp = [item for item in ports if item.get("protocol", "TCP") == "TCP"]
    fits = any(port in _range(item) for item in tcp)
    return fits and ("to" not in rule or any(_is_peer(peer, address, kube) for peer in rule["to"]))


def _range(item: Object) -> range:
    return range(int(item["port"]), int(item.get("endPort") or item["port"]) + 1)


def _is_peer(peer: Object, address: str, kube: FakeKube) -> bool:
    ip = ipaddress.ip_address(address)
    if "ipBlock" in peer:
        block: Object = peer["ipBlock"]
        inside = ip in ipaddress.ip_network(block["cidr"])
        return inside and not any(ip in ipaddress.ip_network(part) for part in block.get("except", []))
    pods = [pod for pod in kube.store.list(PODS) if pod["status"].get("podIP") == address]
    return any("podSelector" in peer and selected_by(peer["podSelector"], labels_of(pod)) for pod in pods)
