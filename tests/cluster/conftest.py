"""The cluster that `make cluster` has started, or the one that GAMEDAY_TEST_KUBECONFIG names; a namespace for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gameday.testing import eventually
from tests.cluster.machine import control
from tests.cluster.machine.images import APP
from tests.cluster.machine.place import Place, the_place
from tests.cluster.real import Reach, Shop

NAMESPACES_GONE_SECONDS = 120.0


def _named_cluster(path: str) -> Reach:
    """Take a cluster that somebody else runs; it must have the application's image, and nodes that can be reached from here."""
    missing = [
        name for name in ("GAMEDAY_TEST_CONTEXT", "GAMEDAY_TEST_IMAGE", "GAMEDAY_TEST_NODE") if not os.environ.get(name)
    ]
    if missing:
        pytest.fail(f"GAMEDAY_TEST_KUBECONFIG needs {', '.join(missing)}, too: see CONTRIBUTING.md", pytrace=False)
    if not Path(path).is_file():
        pytest.fail(f"GAMEDAY_TEST_KUBECONFIG: there is no file {path}", pytrace=False)
    context, image, node = (os.environ[f"GAMEDAY_TEST_{name}"] for name in ("CONTEXT", "IMAGE", "NODE"))
    return Reach(kubeconfig=path, context=context, image=image, ports={}, node=node)


@pytest.fixture(scope="session")
def reach() -> Reach:
    named = os.environ.get("GAMEDAY_TEST_KUBECONFIG")
    if named:
        return _named_cluster(named)
    state = the_place().state() or {}
    if "kubeconfig" not in state:
        pytest.fail(
            "there is no cluster: `make cluster` starts one, or name one by GAMEDAY_TEST_KUBECONFIG", pytrace=False
        )
    ports = {int(port): f"127.0.0.1:{there}" for port, there in state["ports"].items()}
    return Reach(kubeconfig=state["kubeconfig"], context=state["context"], image=APP, ports=ports)


@pytest.fixture(scope="session")
def machine(reach: Reach) -> Place:
    """The machine below, where a test stops parts of the cluster itself."""
    place = the_place()
    if os.environ.get("GAMEDAY_TEST_KUBECONFIG") or not control.is_running(place):
        pytest.skip(
            "this needs the machine below the cluster that `make cluster` starts: its processes, its nodes' images and folders"
        )
    return place


@pytest.fixture(scope="session")
def namespaces(reach: Reach) -> Iterator[list[str]]:
    """Names of those that were made; at the end all of them are gone."""
    made: list[str] = []
    yield made
    watch = Shop(reach)

    def left() -> set[str]:
        return {item["metadata"]["name"] for item in watch.ask("GET", "/api/v1/namespaces")["items"]} & set(made)

    assert eventually(lambda: not left(), NAMESPACES_GONE_SECONDS), f"namespaces are left: {left()}"


@pytest.fixture
def shop(reach: Reach, namespaces: list[str]) -> Iterator[Shop]:
    shop = Shop(reach)
    shop.open()
    namespaces.append(shop.namespace)
    try:
        yield shop
    finally:
        shop.close()
