"""The emulated cluster: starts, stops, and can be told to refuse, to fail and to be slow."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.fakes.kube.chaos import ChaosMesh
from tests.fakes.kube.controllers import Pace, reconcile
from tests.fakes.kube.errors import ApiError, Broken
from tests.fakes.kube.server import handler_for
from tests.fakes.kube.store import (
    AUTOSCALERS,
    BUDGETS,
    DEPLOYMENTS,
    EVENTS,
    METRICS,
    NAMESPACES,
    NODES,
    PODS,
    SERVICES,
    Store,
    is_going,
    is_ready,
    now,
)

Fault = Callable[[str, str], ApiError | Broken | float | None]
"""Told the method and the path: an error to answer, what to send instead of an answer, seconds to wait, or nothing."""
STEP_SECONDS = 0.02


class FakeKube:
    """A cluster of two nodes with the namespaces ``default``, ``shop`` and ``kube-system``."""

    def __init__(self, *, start_seconds: float = 0.05, stop_seconds: float = 0.05) -> None:
        self.store = Store(stop_seconds)
        self.denied: set[tuple[str, str]] = set()
        """(verb, resource): answered with 403, and so are reviews of them."""
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str, Any]] = []
        """Method, path and JSON body of every request."""
        self.tokens: set[str] = set()
        """What was sent as Authorization."""
        self.chaos = ChaosMesh()
        """Installed when a test does so."""
        self.stopping = threading.Event()
        self.pace = Pace(start_seconds=start_seconds)
        """How quick its controllers are; a test may change it at any time."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        for name in ("default", "kube-system", "shop"):
            self.store.create(NAMESPACES, None, {"metadata": {"name": name}, "status": {"phase": "Active"}})
        for name in ("node1", "node2"):
            ready = {"conditions": [{"type": "Ready", "status": "True"}]}
            labels = {"kubernetes.io/hostname": name}
            self.store.create(NODES, None, {"metadata": {"name": name, "labels": labels}, "spec": {}, "status": ready})

    def __enter__(self) -> Self:
        serve = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        control = threading.Thread(target=self._control, daemon=True)
        self._threads = (serve, control)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join(5)

    def _control(self) -> None:
        scheduled: dict[str, float] = {}
        while not self.stopping.wait(STEP_SECONDS):
            reconcile(self.store, scheduled, self.pace)
            with self.store.lock:
                self.chaos.step(self.store)

    def write_kubeconfig(self, path: Path, *, context: str = "fake") -> str:
        """Write a kubeconfig with one context; return its path."""
        config: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": self.url}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": context, "context": {"cluster": "c", "user": "u"}}],
            "current-context": context,
        }
        path.write_text(json.dumps(config), encoding="utf-8")
        return str(path)

    def deploy(self, name: str, replicas: int, *, namespace: str = "shop", grace: int = 30) -> None:
        """Make a deployment whose pods have the label ``app``."""
        template = {
            "metadata": {"labels": {"app": name}},
            "spec": {"terminationGracePeriodSeconds": grace, "containers": [{"name": "c", "image": "i"}]},
        }
        spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
        self.store.create(DEPLOYMENTS, namespace, {"metadata": {"name": name}, "spec": spec})

    def protect(self, app: str, least: int, *, namespace: str = "shop") -> None:
        """Give an app a disruption budget."""
        spec = {"minAvailable": least, "selector": {"matchLabels": {"app": app}}}
        self.store.create(BUDGETS, namespace, {"metadata": {"name": f"{app}-budget"}, "spec": spec})

    def autoscale(self, name: str, *, least: int = 1, most: int = 5, namespace: str = "shop") -> None:
        """Give a deployment an autoscaler that has looked once."""
        spec = {"scaleTargetRef": {"kind": "Deployment", "name": name}, "minReplicas": least, "maxReplicas": most}
        self.store.create(AUTOSCALERS, namespace, {"metadata": {"name": name}, "spec": spec})
        status = {
            "currentReplicas": 3,
            "desiredReplicas": 3,
            "conditions": [{"type": "ScalingActive", "status": "True"}],
        }
        self.store.change(AUTOSCALERS, namespace, name, lambda found: found.update(status=status))

    def serve(self, app: str, *, namespace: str = "shop") -> None:
        """Put a service before the pods of an app."""
        spec = {"selector": {"app": app}, "clusterIP": "10.96.7.7", "clusterIPs": ["10.96.7.7"]}
        self.store.create(SERVICES, namespace, {"metadata": {"name": app}, "spec": spec})

    def measure(self, app: str, cpu: str, memory: str, *, namespace: str = "shop", at: str = "") -> None:
        """Let the metrics server have measured every pod of an app, each with two containers that use this much."""
        for pod in self.store.list(PODS, namespace, labels=f"app={app}"):
            name, labels = pod["metadata"]["name"], pod["metadata"]["labels"]
            used = {"usage": {"cpu": cpu, "memory": memory}}
            if (METRICS, namespace, name) in self.store.objects:
                self.store.drop(METRICS, namespace, name)
            made = {"metadata": {"name": name, "labels": labels}, "timestamp": at or now(), "containers": [used, used]}
            self.store.create(METRICS, namespace, made)

    def warn(self, reason: str, *, at: str = "", namespace: str = "shop") -> None:
        """Let something be worth a warning."""
        seen = {"type": "Warning", "reason": reason, "count": 3, "lastTimestamp": at or now()}
        self.store.create(EVENTS, namespace, {"metadata": {"generateName": "web."}, **seen})

    def ready(self, app: str, *, namespace: str = "shop") -> frozenset[str]:
        """The uids of the ready pods of an app."""
        pods = self.store.list(PODS, namespace, labels=f"app={app}")
        return frozenset(pod["metadata"]["uid"] for pod in pods if is_ready(pod) and not is_going(pod))
