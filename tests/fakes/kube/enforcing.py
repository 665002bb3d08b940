"""A NodePort in front of pods, as a network plugin that enforces policies makes it: closed while a policy denies them ingress."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

from tests.fakes.kube.cluster import FakeKube
from tests.fakes.kube.selection import selected_by
from tests.fakes.kube.store import POLICIES

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
