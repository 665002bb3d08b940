"""Starts the cluster and ends it, from outside: one process is known by its pid and start time, and everything hangs on it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.machine import walls
from tests.cluster.machine.place import HERE, ROOT, ClusterError, Place

UP_SECONDS = 300.0
DOWN_SECONDS = 60.0


def start_of(pid: int) -> str | None:
    """Return the start time of a process in clock ticks since boot, or None when there is none (or only its remains)."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if words[0] in "ZX" else words[19]


def is_running(place: Place) -> bool:
    """Whether the cluster's holder is alive."""
    state = place.state()
    return state is not None and start_of(int(state["pid"])) == state["start"]


def build(place: Place) -> None:
    """Build the programs unless they are there."""
    if not place.is_built:
        place.build.mkdir(parents=True, exist_ok=True)
        if subprocess.run(["bash", str(HERE / "build.sh"), str(place.build)], check=False).returncode:
            raise ClusterError("the cluster's programs could not be built; `make cluster` goes on where it stopped")
        (place.build / "built").touch()


def up(place: Place) -> None:
    """Start it, and return when its nodes are ready; do nothing when it is up."""
    if is_running(place) and "kubeconfig" in (place.state() or {}):
        return
    down(place)
    (place.run / "log").mkdir(parents=True)
    (place.run / "resolv.conf").touch()
    with (place.run / "log" / "inside.log").open("wb") as log:
        holder = subprocess.Popen(
            [
                "unshare",
                "--pid",
                "--mount",
                "--fork",
                "--kill-child",
                sys.executable,
                "-m",
                "tests.cluster.machine.inside",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**os.environ, **place.environment(), "GAMEDAY_CLUSTER_CACHE": str(place.home)},
            start_new_session=True,
        )
    place.tell(pid=holder.pid, start=start_of(holder.pid))
    _await_up(place, holder)


def _await_up(place: Place, holder: subprocess.Popen[bytes]) -> None:
    end, shown = time.monotonic() + UP_SECONDS, 0
    while True:
        ready = "kubeconfig" in (place.state() or {})
        said = (place.run / "log" / "inside.log").read_text(errors="replace")
        print(said[shown:], end="", flush=True)
        shown = len(said)
        if ready:
            return
        if holder.poll() is not None or time.monotonic() > end:
            kept = place.home / "failed"
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(place.run / "log", kept)
            down(place)
            raise ClusterError(f"the cluster did not come up; its logs are in {kept}")
        time.sleep(0.1)


def down(place: Place) -> None:
    """End exactly what was started, and remove what it left; do nothing when there is nothing."""
    state = place.state()
    if state is not None and is_running(place):
        inside = _children(int(state["pid"]))
        os.kill(int(state["pid"]), signal.SIGKILL)  # the kernel ends its child, and with that the whole namespace
        end = time.monotonic() + DOWN_SECONDS
        while any(start_of(pid) == start for pid, start in inside.items()):
            if time.monotonic() > end:
                raise ClusterError(f"the cluster's processes do not end: {sorted(inside)}")
            time.sleep(0.05)
    walls.remove_cgroups()
    if place.run.exists():
        shutil.rmtree(place.run)


def find(place: Place, program: str) -> int:
    """Return the pid, as the machine sees it, of one of the cluster's programs."""
    for pid, words in _below(place):
        if Path(words[0]).name == program:
            return pid
    raise ClusterError(f"there is no {program} in the cluster")


def first_of(place: Place, uid: str, word: str) -> int:
    """Return the pid, as the machine sees it, of the first process of a container of that pod, whose command has this word."""
    for pid, words in _below(place):
        if word in words and _is_first(pid) and uid in Path(f"/proc/{pid}/cgroup").read_text():
            return pid
    raise ClusterError(f"there is no such container of the pod {uid} in the cluster")


def _below(place: Place) -> Iterator[tuple[int, list[str]]]:
    """Yield every process of the cluster and its command."""
    waiting = [int((place.state() or {})["pid"])]
    while waiting:
        pid = waiting.pop()
        with contextlib.suppress(OSError):  # it has ended since
            yield pid, Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
            waiting += _children(pid)


def _is_first(pid: int) -> bool:
    """Whether it is process 1 in the innermost of its process namespaces."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return False
    return any(line.startswith("NSpid:") and line.split()[-1] == "1" for line in lines)


def _children(pid: int) -> dict[int, str]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child): start for child in listed if (start := start_of(int(child)))}
