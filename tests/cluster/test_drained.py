"""A node drained under load: the budget decides how fast, the users notice nothing, and the node takes pods again."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gameday.testing import eventually
from tests.cluster.real import WAIT_SECONDS, Shop
from tests.cluster.runs import experiment, measured
from tests.harness import Lab

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(200, func_only=True)]


@contextmanager
def fewest_ready(shop: Shop) -> Generator[list[int]]:
    """Watch how many pods are ready; the list holds every number that was seen."""
    ended, seen = threading.Event(), list[int]()

    def watch() -> None:
        while not ended.wait(0.1):
            seen.append(len(shop.ready()))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def alone(shop: Shop) -> bool:
    """Whether no pods but ours run: those of a namespace that has just been deleted are still there for a moment."""
    pods = shop.ask("GET", "/api/v1/pods")["items"]
    others = [pod["metadata"] for pod in pods if pod["metadata"]["namespace"] not in (shop.namespace, "kube-system")]
    return all(meta.get("deletionTimestamp") for meta in others)


@pytest.mark.usefixtures("machine")
def test_a_drain_keeps_within_the_budget_and_is_taken_back(shop: Shop, tmp_path: Path) -> None:
    url = shop.deploy(replicas=3, warm="1s")
    shop.protect("web", 2)
    assert eventually(lambda: alone(shop), WAIT_SECONDS)
    nodes = [pod["spec"]["nodeName"] for pod in shop.pods()]
    fullest = max(sorted(set(nodes)), key=nodes.count)
    drain = {"kubeconfig": shop.reach.kubeconfig, "context": shop.reach.context, "namespaces": [shop.namespace]}
    drain |= {"nodes": [fullest], "within": "90s"}
    fault = {"do": "k8s.node-drain", "with": drain, "for": "4s", "keep_ready": 1}
    lab = Lab(tmp_path)
    with fewest_ready(shop) as seen:
        ran = measured(shop, lab, lab.write(experiment(url, fault)))
    assert ran.code == 0, ran.out + ran.err
    (found,) = ran.verdict["faults"]
    assert (found["proof"], found["undo"]) == ("proven", "proven")
    assert min(seen) == 2, "the budget allows one pod at a time, and some had to go"
    assert fullest not in {pod["spec"]["nodeName"] for pod in shop.pods()}
    node = shop.ask("GET", f"/api/v1/nodes/{fullest}")
    assert not node["spec"].get("unschedulable")
    assert "gameday.io" not in str(node["metadata"].get("annotations"))
