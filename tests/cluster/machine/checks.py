"""Whether a cluster can be on this machine, asked before anything is done; what is missing is one sentence with the way out."""

from __future__ import annotations

import os
import shutil
import subprocess

from tests.cluster.machine import walls
from tests.cluster.machine.place import ClusterError, Place

_ELSE = "or name a cluster by GAMEDAY_TEST_KUBECONFIG"
_TOOLS = {
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    "dpkg-source": "dpkg-dev",
    "ip": "iproute2",
    "unshare": "util-linux",
    "openssl": "openssl",
}
_TRIAL = "mount -t tmpfs none /mnt && ip link add trial type bridge"


def uses_docker() -> bool:
    """Whether it is to be kind's: said by GAMEDAY_CLUSTER (kind or packages), else where Docker answers."""
    said = os.environ.get("GAMEDAY_CLUSTER", "")
    if said not in ("", "kind", "packages"):
        raise ClusterError(f"GAMEDAY_CLUSTER is kind or packages, not {said!r}")
    if said:
        return said == "kind"
    return shutil.which("docker") is not None and not subprocess.run(["docker", "info"], capture_output=True).returncode


def require(place: Place, *, user: int) -> None:
    """Raise ClusterError unless that user can build and start a cluster here; install missing tools where that is possible."""
    if user != 0:
        raise ClusterError(f"real pods need root: run `sudo make cluster`, use a machine with Docker and kind, {_ELSE}")
    _require_tools()
    if not walls.hierarchies():
        raise ClusterError(
            f"Kubernetes 1.20 needs control groups of version 1, and none is mounted here: use Docker and kind, {_ELSE}"
        )
    trial = subprocess.run(
        ["unshare", "--pid", "--mount", "--net", "--fork", "sh", "-c", _TRIAL], capture_output=True, text=True
    )
    if trial.returncode:
        said = trial.stderr.strip().splitlines() or ["no reason given"]
        raise ClusterError(
            f"this kernel gives us no namespaces with a bridge of their own ({said[-1]}): use a virtual machine, {_ELSE}"
        )
    for covered in walls.COVERED:
        if place.home.is_relative_to(covered):
            raise ClusterError(
                f"{place.home} is below {covered}, which the cluster has as a copy: name another folder by GAMEDAY_CLUSTER_CACHE"
            )


def _require_tools() -> None:
    missing = sorted({package for tool, package in _TOOLS.items() if shutil.which(tool) is None})
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise ClusterError(
            f"the cluster is built from Debian's packages, and this is no Debian: use Docker and kind, {_ELSE}"
        )
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
        if subprocess.run(["apt-get", "-qq", *words], env=quiet, stdout=subprocess.DEVNULL).returncode:
            raise ClusterError(f"missing: {' '.join(missing)}; run: apt-get install {' '.join(missing)}")
