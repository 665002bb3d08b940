"""Where the cluster's programs and its state are, and what its processes are given to find them."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
CGROUP = "gameday-cluster"
"""The folder of every control group of the cluster, in each hierarchy."""
NODES = ("node1", "node2")
NODE_PORTS = (30080, 30081, 30082, 30083)
"""Ports of services that are reachable from outside; each by a loopback port that was free."""
_RECIPE = ("build.sh", "versions.sh", "kubernetes.patch", "pause.go", "app.go")


class ClusterError(Exception):
    """What is missing or went wrong, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One folder for everything, outside the checkout."""

    home: Path

    @property
    def build(self) -> Path:
        """Return the folder of the programs; another recipe has another one."""
        recipe = b"".join((HERE / name).read_bytes() for name in _RECIPE)
        words = dict(line.split("=", 1) for line in (HERE / "versions.sh").read_text().splitlines() if "=" in line[:30])
        return self.home / f"{words['KUBERNETES_VERSION']}-{hashlib.sha256(recipe).hexdigest()[:12]}"

    @property
    def run(self) -> Path:
        """Return the folder of the cluster that runs; it goes when the cluster does."""
        return self.home / "run"

    @property
    def is_built(self) -> bool:
        return (self.build / "built").exists()

    def state(self) -> dict[str, Any] | None:
        """Return what the running cluster says of itself: `pid`, `start`, and when it is up `kubeconfig`, `context`, `ports`."""
        try:
            found: dict[str, Any] = json.loads((self.run / "state.json").read_text())
        except (OSError, ValueError):
            return None
        return found

    def tell(self, **news: Any) -> None:
        """Add to what the cluster says of itself, whole or not at all."""
        new = self.run / "state.json.new"
        new.write_text(json.dumps({**(self.state() or {}), **news}))
        new.replace(self.run / "state.json")

    def environment(self) -> dict[str, str]:
        """Return the environment of the cluster's processes: the unpacked packages first."""
        root = self.build / "root"
        libraries = next(iter(root.glob("usr/lib/*-linux-gnu*")), root)
        folders = [self.build / "bin", *(root / name for name in ("usr/bin", "usr/sbin", "bin", "sbin", "usr/lib/cni"))]
        return {
            "PATH": ":".join([*map(str, folders), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]),
            "LD_LIBRARY_PATH": str(libraries),
            "XTABLES_LIBDIR": str(libraries / "xtables"),
            "HOME": str(self.run),
            "LANG": "C.UTF-8",
        }


def the_place() -> Place:
    """Return the place of this user: GAMEDAY_CLUSTER_CACHE, else below the cache folder."""
    caches = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Place(home=Path(os.environ.get("GAMEDAY_CLUSTER_CACHE") or Path(caches, "gameday", "cluster")).resolve())
