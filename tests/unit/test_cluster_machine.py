"""What the cluster for tests decides by itself: whom a policy denies, where its programs are, what it says where it cannot be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.machine import checks, control
from tests.cluster.machine.metrics import measured
from tests.cluster.machine.place import ClusterError, Place, the_place
from tests.cluster.machine.policies import denied, parted, ruleset, selects


def pod(address: str, *, namespace: str = "shop", **labels: str) -> dict[str, Any]:
    return {"metadata": {"namespace": namespace, "labels": labels}, "status": {"podIP": address} if address else {}}


def policy(selector: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "shop"}, "spec": {"podSelector": selector, **spec}}


WEB = {"matchLabels": {"app": "web"}}
PODS = [pod("10.1", app="web"), pod("10.2", app="db"), pod("10.3", namespace="other", app="web"), pod("", app="web")]


@pytest.mark.parametrize(
    ("policies", "direction", "hit"),
    [
        ([], "Ingress", []),
        ([policy(WEB)], "Ingress", ["10.1"]),
        ([policy(WEB)], "Egress", []),
        ([policy({}, policyTypes=["Egress"])], "Egress", ["10.1", "10.2"]),
        ([policy(WEB, policyTypes=["Ingress"], ingress=[{}])], "Ingress", []),
        ([policy({}), policy(WEB, ingress=[{}])], "Ingress", ["10.2"]),
    ],
)
def test_whom_policies_deny(policies: list[Any], direction: str, hit: list[str]) -> None:
    assert denied(PODS, policies, direction) == hit


@pytest.mark.parametrize(
    ("operator", "values", "match"),
    [("In", ["web"], True), ("NotIn", ["web"], False), ("Exists", None, True), ("DoesNotExist", None, False)],
)
def test_what_an_expression_selects(operator: str, values: list[str] | None, match: bool) -> None:
    assert (
        selects({"matchExpressions": [{"key": "app", "operator": operator, "values": values}]}, {"app": "web"}) is match
    )


def test_only_the_denied_are_in_the_rules() -> None:
    assert "drop" not in ruleset([], [])
    assert ruleset(["10.1", "10.2"], []).count("ip daddr { 10.1, 10.2 }") == 3
    assert "ip saddr { 10.1 } ct state new drop" in ruleset([], ["10.1"])


NAMED = [{"metadata": {"name": "shop", "labels": {"name": "shop"}}}, {"metadata": {"name": "other"}}]
"""One namespace has a label, the other none."""
ALL_BUT_DB = [
    {"podSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["db"]}]}},
    {"namespaceSelector": {"matchExpressions": [{"key": "name", "operator": "NotIn", "values": ["shop"]}]}},
    {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.2/32"]}},
]
PLACED = [pod("10.0.0.1", app="web"), pod("10.0.0.2", app="db"), pod("10.0.0.3", namespace="other", app="db")]


EGRESS: list[tuple[list[Any], list[tuple[str, str]]]] = [
    ([], []),
    ([{}], []),
    ([{"to": ALL_BUT_DB}], [("10.0.0.1", "10.0.0.2")]),
    ([{"to": ALL_BUT_DB}, {"to": [{"podSelector": {}}]}], []),
    ([{"to": ALL_BUT_DB[:1]}], [("10.0.0.1", "10.0.0.2"), ("10.0.0.1", "10.0.0.3")]),
    ([{"to": [{"ipBlock": {"cidr": "10.0.0.2/32"}}]}], [("10.0.0.1", "10.0.0.3")]),
]


@pytest.mark.parametrize(("egress", "pairs"), EGRESS)
def test_which_pods_policies_part(egress: list[Any], pairs: list[tuple[str, str]]) -> None:
    assert parted(PLACED, [policy(WEB, policyTypes=["Egress"], egress=egress)], NAMED) == pairs
    rules = ruleset([], [], pairs)
    assert all(f"{source} . {to}" in rules for source, to in pairs)
    assert ("drop" in rules) is bool(pairs)


def test_a_pod_is_measured_when_all_its_containers_are() -> None:
    def container(name: str, **cpu: int) -> dict[str, Any]:
        return {"name": name, "cpu": {"time": "t2", **cpu}, "memory": {"workingSetBytes": 4096}}

    def of_kubelet(uid: str, *containers: dict[str, Any]) -> dict[str, Any]:
        return {"podRef": {"uid": uid}, "containers": list(containers)}

    pods = [{"metadata": {"name": name, "namespace": "shop", "uid": name}} for name in ("whole", "half", "new")]
    summary = {
        "pods": [
            of_kubelet("whole", container("a", usageNanoCores=7)),
            of_kubelet("half", container("a", usageNanoCores=7), container("b")),
        ]
    }
    (found,) = measured(pods, [summary])
    assert found["metadata"] == {"name": "whole", "namespace": "shop"}
    assert found["containers"] == [{"name": "a", "usage": {"cpu": "7n", "memory": "4Ki"}}]


def test_the_place_is_outside_the_checkout_and_follows_the_recipe(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GAMEDAY_CLUSTER_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    place = the_place()
    assert place.home == tmp_path / "gameday" / "cluster"
    assert place.build.parent == place.home
    assert place.build.name.startswith("1.20.2-")
    assert not place.is_built
    assert place.state() is None


def test_nothing_runs_where_another_process_has_the_pid(tmp_path: Path) -> None:
    place = Place(home=tmp_path)
    place.run.mkdir()
    start = control.start_of(os.getpid())
    place.tell(pid=os.getpid(), start="1")
    assert not control.is_running(place)
    place.tell(start=start)
    assert control.is_running(place)


def test_where_it_cannot_be_one_sentence_says_so(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"real pods need root: run `sudo make cluster`, .* GAMEDAY_TEST_KUBECONFIG"):
        checks.require(Place(home=tmp_path), user=1000)
    assert not list(tmp_path.iterdir())


def test_an_unknown_kind_of_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMEDAY_CLUSTER", "minikube")
    with pytest.raises(ClusterError, match="kind or packages, not 'minikube'"):
        checks.uses_docker()
