"""What keeps the cluster apart from the machine: its mounts, its network, its control groups. Called inside its namespaces."""

from __future__ import annotations

import ctypes
import subprocess
import time
from pathlib import Path

from tests.cluster.machine.place import CGROUP, NODES, Place

CGROUPS = Path("/sys/fs/cgroup")
COVERED = ("/etc", "/opt", "/run", "/var/lib", "/var/log")
"""What the cluster's programs write to by themselves: there they write to memory that goes with them."""
EMPTY_SECONDS = 5.0
_NEW_NETWORK = 0x40000000
_TUNED = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys",
          "kernel/keys/root_maxbytes")  # fmt: skip


def run(*words: str) -> None:
    """Run a command that must do."""
    subprocess.run(words, check=True, capture_output=True, text=True)


def make_mounts(place: Place) -> None:
    """Give the namespace its own processes, scratch layers over the machine's folders, and sysctls that are only files."""
    run("mount", "-t", "proc", "proc", "/proc")
    run("mount", "--make-rshared", "/")
    scratch = place.run / "scratch"
    scratch.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", str(scratch))
    for number, covered in enumerate(COVERED):
        upper, work = scratch / f"upper{number}", scratch / f"work{number}"
        upper.mkdir()
        work.mkdir()
        layers = f"lowerdir={covered},upperdir={upper},workdir={work}"
        run("mount", "-t", "overlay", "-o", layers, "overlay", covered)
    for name in _TUNED:
        real, ours = Path("/proc/sys", name), scratch / name.replace("/", ".")
        if real.exists():
            ours.write_bytes(real.read_bytes())
            run("mount", "--bind", str(ours), str(real))


def make_network() -> None:
    """Leave the machine's network for one of our own: loopback, and one bridge with the nodes' addresses."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "no network namespace of our own")
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "nodes", "type", "bridge")
    run("ip", "link", "set", "nodes", "up")
    for number in range(1, len(NODES) + 1):
        run("ip", "addr", "add", f"10.200.0.{number}/24", "dev", "nodes")
    run("ip", "route", "add", "default", "dev", "nodes")  # kubelet and API server look for one; nothing leaves
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def hierarchies(*kinds: str) -> list[Path]:
    """Return the folder of each hierarchy of control groups, of version 1 (one for each controller) unless told otherwise."""
    mounted = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return [Path(words[1]) for words in mounted if words[2] in (kinds or ("cgroup",))]


def make_cgroups() -> None:
    """Make our folder and the nodes' in each hierarchy, and move ourselves into ours."""
    for top in hierarchies():
        for name in ("", *NODES):
            folder = top / CGROUP / name
            folder.mkdir(exist_ok=True)
            for limit in ("cpuset.cpus", "cpuset.mems"):
                if (folder / limit).exists():
                    (folder / limit).write_text((folder.parent / limit).read_text())
        (top / CGROUP / "cgroup.procs").write_text("0")


def remove_cgroups() -> None:
    """Remove them, and what containers made in version 2, from the leaves; processes must have ended."""
    for top in hierarchies("cgroup", "cgroup2"):
        ours = top / CGROUP
        below = [path for path in ours.rglob("*") if path.is_dir()] if ours.exists() else []
        for folder in (*sorted(below, key=lambda path: -len(path.parts)), *([ours] if ours.exists() else [])):
            _remove(folder)


def _remove(folder: Path) -> None:
    end = time.monotonic() + EMPTY_SECONDS
    while True:
        try:
            return folder.rmdir()
        except FileNotFoundError:
            return None
        except OSError:  # the kernel still counts somebody who has just ended
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def peak_memory() -> int | None:
    """Return the most bytes that the cluster has had, or None where nobody counts."""
    counted = CGROUPS / "memory" / CGROUP / "memory.max_usage_in_bytes"
    return int(counted.read_text()) if counted.exists() else None
