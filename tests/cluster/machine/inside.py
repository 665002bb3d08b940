"""The first process inside the cluster's namespaces: starts everything, reaps, and takes everything along when it is killed.

Started by ``up`` in new process and mount namespaces. It takes the loopback ports while it is still in the machine's network,
and only then leaves for its own, so that nothing but the forwarder connects the two.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

from tests.cluster.machine import metrics, settings, walls
from tests.cluster.machine.credentials import NAME, make_credentials
from tests.cluster.machine.images import make_images
from tests.cluster.machine.place import NODE_PORTS, NODES, Place, the_place

WAIT_SECONDS = 180.0


class Machine:
    """Starts the cluster's programs, and waits for them."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.began = time.monotonic()
        self._environment = place.environment()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def say(self, text: str) -> None:
        """Tell who started the cluster."""
        print(f"cluster: {time.monotonic() - self.began:5.1f} s  {text}", flush=True)

    def start(self, name: str, words: Sequence[str], *, hand: Sequence[int] = ()) -> None:
        """Start a program, its output in ``log/NAME.log``."""
        with (self._place.run / "log" / f"{name}.log").open("wb") as log:
            self._processes[name] = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._place.run,
                env=self._environment,
                pass_fds=hand,
            )

    def await_done(self, what: str, *words: str) -> None:
        """Repeat a command until it succeeds; SystemExit when it does not, or when a program has ended."""
        end = time.monotonic() + WAIT_SECONDS
        while subprocess.run(words, capture_output=True, cwd=self._place.run, env=self._environment).returncode:
            ended = [name for name, process in self._processes.items() if process.poll() is not None]
            if ended or time.monotonic() > end:
                raise SystemExit(f"cluster: {what} did not come up{f'; ended: {ended}' if ended else ''}")
            time.sleep(0.1)
        self.say(what)

    def kubectl(self, *words: str) -> list[str]:
        """Return a command of kubectl, for inside."""
        return ["kubectl", "--kubeconfig=components", f"--cache-dir={self._place.run}/kubectl", *words]

    def reap(self) -> None:
        """Reap whoever ends, for ever: what loses its parent in a process namespace falls to its first process."""
        for process in self._processes.values():
            process.poll()
        while True:
            pid, status = os.waitpid(-1, 0)
            for name, process in self._processes.items():
                if process.pid == pid:
                    self.say(f"{name} has ended with status {status}")


def _python(program: str, *words: str) -> list[str]:
    return [sys.executable, "-m", f"tests.cluster.machine.{program}", *words]


def main() -> None:
    """Bring everything up, say so, and stay."""
    place = the_place()
    machine = Machine(place)
    images = make_images(place)
    listening = [socket.create_server(("127.0.0.1", 0), backlog=256) for _ in range(1 + len(NODE_PORTS))]
    outside = [int(sock.getsockname()[1]) for sock in listening]
    make_credentials(place, outside[0])
    walls.make_cgroups()
    walls.make_mounts(place)
    walls.make_network()
    machine.say("namespaces, credentials")

    machine.start("etcd", settings.etcd())
    machine.start("kube-apiserver", settings.api_server())
    inner = ["127.0.0.1:6443", *(f"10.200.0.1:{port}" for port in NODE_PORTS)]
    handed = [sock.fileno() for sock in listening]
    machine.start(
        "forward", _python("forward", *(f"{fd}={to}" for fd, to in zip(handed, inner, strict=True))), hand=handed
    )
    machine.await_done("API server", *machine.kubectl("get", "--raw=/readyz"))
    for name, words in settings.controllers().items():
        machine.start(name, words)
    machine.start("policies", _python("policies", "components"))
    machine.start("metrics", _python("metrics", "components", "pki/api.crt", "pki/api.key"))
    (place.run / "metrics.json").write_text(
        json.dumps({"apiVersion": "v1", "kind": "List", "items": metrics.manifests()})
    )
    machine.await_done("registrations", *machine.kubectl("apply", "-f", "metrics.json"))

    folders = [settings.write_node(place, number) for number in range(1, len(NODES) + 1)]
    for node, folder in zip(NODES, folders, strict=True):
        machine.start(f"containerd-{node}", ["containerd", "-c", f"{folder}/containerd.toml"])
    for number, (node, folder) in enumerate(zip(NODES, folders, strict=True), 1):
        ctr = ["ctr", "-a", f"{folder}/containerd.sock", "-n", "k8s.io"]
        machine.await_done(f"containerd of {node}", *ctr, "version")
        for image in images:
            subprocess.run(
                [*ctr, "images", "import", str(image)], check=True, capture_output=True, env=place.environment()
            )
        machine.start(f"kubelet-{node}", settings.kubelet(folder, number))
    for node in NODES:
        machine.await_done(
            f"{node} ready", *machine.kubectl("wait", "--for=condition=Ready", f"node/{node}", "--timeout=5s")
        )
    machine.await_done("service accounts", *machine.kubectl("-n", "default", "get", "serviceaccount", "default"))
    machine.await_done("metrics", *machine.kubectl("get", "--raw", f"/apis/{metrics.GROUP}/v1beta1"))
    place.tell(
        kubeconfig=str(place.run / "kubeconfig"),
        context=NAME,
        ports={str(port): there for port, there in zip(NODE_PORTS, outside[1:], strict=True)},
        seconds=round(time.monotonic() - machine.began, 1),
    )
    machine.reap()


if __name__ == "__main__":
    main()
