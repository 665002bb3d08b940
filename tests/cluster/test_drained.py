"""A node drained under load: the budget decides how fast, the users notice nothing, and the node takes pods again."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gameday.testing import eventually
from tests.cluster.real import WAIT_SECONDS, Shop
from tests.cluster.shipped import words_of
from tests.fakes.busy import unmeasured, until_measured
from tests.harness import Lab, Ran

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


def fullest_node(shop: Shop) -> str:
    nodes = [str(pod["spec"]["nodeName"]) for pod in shop.pods()]
    return max(sorted(set(nodes)), key=nodes.count)


def is_as_before(shop: Shop, name: str) -> bool:
    """Whether a node takes pods, and nothing of ours is on it."""
    node = shop.ask("GET", f"/api/v1/nodes/{name}")
    return not node["spec"].get("unschedulable") and "gameday.io" not in str(node["metadata"].get("annotations"))


@pytest.mark.usefixtures("machine")
def test_the_drain_that_ships_keeps_within_the_budget_and_is_taken_back(shop: Shop, tmp_path: Path) -> None:
    url = shop.deploy(replicas=3, warm="1s")
    shop.protect("web", 2)
    assert eventually(lambda: alone(shop), WAIT_SECONDS)
    node, lab = fullest_node(shop), Lab(tmp_path)
    words = words_of("node-drained", shop, url, node=node, within="90s", fault="25s")

    def attempt(_: int) -> Ran:
        assert eventually(lambda: len(shop.ready()) == 3, WAIT_SECONDS), shop.describe()
        return lab.run_verb(*words, "--output", str(lab.runs), timeout=170)

    with fewest_ready(shop) as seen:
        ran = until_measured(attempt, lambda ran: ran.code == 3 and unmeasured(ran.verdict))
    assert ran.code == 0, ran.out + ran.err
    (found,) = ran.verdict["faults"]
    assert (found["proof"], found["undo"]) == ("proven", "proven")
    assert min(seen) == 2, "the budget allows one pod at a time, and some had to go"
    assert node not in {pod["spec"]["nodeName"] for pod in shop.pods()}
    assert is_as_before(shop, node)


@pytest.mark.usefixtures("machine")
def test_a_budget_that_allows_nothing_stops_it_and_the_run_says_so(shop: Shop, tmp_path: Path) -> None:
    url = shop.deploy(replicas=2)
    shop.protect("web", 2)
    assert eventually(lambda: alone(shop), WAIT_SECONDS)
    before, node, lab = shop.ready(), fullest_node(shop), Lab(tmp_path)
    words = words_of("node-drained", shop, url, node=node, within="4s")
    ran = lab.run_verb(*words, "--output", str(lab.runs), timeout=170)
    assert ran.code == 3, ran.out + ran.err
    assert "budget" in ran.out, ran.out
    assert shop.ready() == before
    assert is_as_before(shop, node)
