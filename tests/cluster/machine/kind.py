"""The same cluster by kind, where Docker is: two workers, the same application, the same ports of services."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.cluster.machine.images import APP
from tests.cluster.machine.place import HERE, NODE_PORTS, ClusterError, Place
from tests.harness import free_port

NAME = "gameday-tests"
_RECIPE = """FROM golang AS build
COPY app.go /app.go
RUN CGO_ENABLED=0 GO111MODULE=off go build -o /app /app.go
FROM busybox
COPY --from=build /app /bin/app
ENTRYPOINT ["/bin/app"]
"""


def do(verb: str, place: Place) -> None:
    """Start it, end it, or tell of it."""
    if shutil.which("kind") is None:
        raise ClusterError(
            "Docker is here and kind is not: install kind, or say GAMEDAY_CLUSTER=packages to build one from packages"
        )
    if verb == "down":
        _run("kind", "delete", "cluster", "--name", NAME)
        shutil.rmtree(place.run, ignore_errors=True)
    elif verb == "up" and not (place.run / "state.json").exists():
        _up(place)
    print(json.dumps(place.state() or {}))


def _up(place: Place) -> None:
    place.run.mkdir(parents=True)
    ports = {str(port): free_port() for port in NODE_PORTS}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Containerfile").write_text(_RECIPE)
        shutil.copy(HERE / "app.go", folder)
        _run("docker", "build", "--quiet", "--file", f"{folder}/Containerfile", "--tag", APP, folder)
        config = Path(folder, "kind.json")
        config.write_text(json.dumps(_configuration(ports)))
        kubeconfig = str(place.run / "kubeconfig")
        _run(
            "kind",
            "create",
            "cluster",
            "--name",
            NAME,
            "--config",
            str(config),
            "--kubeconfig",
            kubeconfig,
            "--wait",
            "120s",
        )
    _run("kind", "load", "docker-image", APP, "--name", NAME)
    place.tell(kubeconfig=kubeconfig, context=f"kind-{NAME}", ports=ports)


def _configuration(ports: dict[str, int]) -> dict[str, Any]:
    mapped = [
        {"containerPort": int(port), "hostPort": there, "listenAddress": "127.0.0.1"} for port, there in ports.items()
    ]
    workers = [{"role": "worker", "labels": {"topology.kubernetes.io/zone": f"zone{n}"}} for n in (1, 2)]
    nodes = [{"role": "control-plane", "extraPortMappings": mapped}, *workers]
    return {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "nodes": nodes}


def _run(*words: str) -> None:
    if subprocess.run(words, check=False).returncode:
        raise ClusterError(f"failed: {' '.join(words)}")
