"""1,000 pods listed and 100 of them killed: our ``k8s.pod-kill`` and chaosk8s's ``terminate_pods`` in turn on the same emulated API.

Prints for each the median time and how many requests the API server got. Ours asks for its rights and the disruption budgets
first, keeps each victim by uid and the ends of 20 victims' logs, and proves afterwards that those very pods are gone; chaosk8s does
none of it. All of that is in the numbers. No goal: most of the time is the emulator's own.
"""

from __future__ import annotations

import importlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from gameday.spi import World
from gameday_drivers.kube.pod_kill import KillPods
from tests.fakes.kube import FakeKube
from tests.fakes.kube.store import PODS

PODS_THERE, KILLED, ROUNDS = 1000, 100, 3


def fill(kube: FakeKube) -> None:
    """Make bare pods, which nothing replaces, so that both find the same."""
    for number in range(PODS_THERE - len(kube.store.list(PODS, "shop"))):
        meta = {"name": f"web-{kube.store.version}-{number}", "labels": {"app": "web"}}
        spec = {"nodeName": f"node{number % 2 + 1}", "containers": [{"name": "c", "image": "i"}]}
        kube.store.create(PODS, "shop", {"metadata": meta, "spec": spec})


def ours(config: str, folder: str) -> None:
    """Plan, kill and prove, as a run does."""
    driver = KillPods(kubeconfig=config, context="fake", namespace="shop", selector="app=web", count=KILLED, grace=0)
    world = World(run_id="bench", fault="killed", folder=folder)
    plan = driver.plan(world)
    driver.inject(plan, world)
    assert driver.active(plan, world)


def theirs(config: str) -> None:
    """Kill as chaosk8s does."""
    actions: Any = importlib.import_module("chaosk8s.pod.actions")
    secrets = {"KUBERNETES_CONTEXT": "fake", "KUBECONFIG": config}
    actions.terminate_pods(
        label_selector="app=web", ns="shop", mode="fixed", qty=KILLED, rand=True, grace_period=0, secrets=secrets
    )


def measured(kube: FakeKube, kill: Callable[[], None]) -> tuple[float, int]:
    """Return the seconds of one round and the requests that it sent; exactly so many pods must be gone after it."""
    fill(kube)
    kube.requests.clear()
    began = time.perf_counter()
    kill()
    took = time.perf_counter() - began
    assert len(kube.store.list(PODS, "shop")) == PODS_THERE - KILLED
    return took, len(kube.requests)


def main() -> None:
    with tempfile.TemporaryDirectory() as name, FakeKube() as kube:
        config = kube.write_kubeconfig(Path(name) / "kubeconfig")
        os.environ["KUBECONFIG"] = config  # chaosk8s has no other way, and its client reads it once, at import
        rounds: dict[str, list[tuple[float, int]]] = {"gameday": [], "chaosk8s": []}
        for number in range(ROUNDS + 1):
            folder = Path(name) / str(number)
            rounds["gameday"].append(measured(kube, lambda folder=folder: ours(config, str(folder))))  # type: ignore[misc]
            rounds["chaosk8s"].append(measured(kube, lambda: theirs(config)))
    for who, every in rounds.items():
        took, calls = statistics.median(took for took, _ in every[1:]), every[-1][1]
        print(f"{who}: {KILLED} of {PODS_THERE} pods killed in {took:.2f} s with {calls} requests")
    mine, other = (statistics.median(took for took, _ in every[1:]) for every in rounds.values())
    print(f"ratio {mine / other:.2f}")


if __name__ == "__main__":
    main()
