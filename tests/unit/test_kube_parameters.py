from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gameday.spi import DriverError, World
from gameday_drivers.kube.access import Need, rules
from gameday_drivers.kube.bad_image import BadImage
from gameday_drivers.kube.configmap_drift import DriftConfigMap
from gameday_drivers.kube.custom_resource import CustomResource
from gameday_drivers.kube.deployment_scale import ScaleDeployment
from gameday_drivers.kube.dns_deny import DenyDns
from gameday_drivers.kube.hpa_freeze import FreezeAutoscaler
from gameday_drivers.kube.network_deny import DenyNetwork
from gameday_drivers.kube.node_cordon import CordonNodes
from gameday_drivers.kube.pod_kill import KillPods
from gameday_drivers.kube.pods import Pod, as_text, chosen
from gameday_drivers.kube.rollout_restart import RestartRollout
from gameday_drivers.kube.secret_drift import DriftSecret

WHERE: dict[str, Any] = {"kubeconfig": "config", "context": "test"}
SHOP: dict[str, Any] = {**WHERE, "namespace": "shop"}
CHAOS = {"apiVersion": "chaos-mesh.org/v1alpha1", "kind": "PodChaos", "spec": {"duration": "1m30s"}}


def but(**more: Any) -> dict[str, Any]:
    return {**SHOP, **more}


def custom(**more: Any) -> CustomResource:
    return CustomResource(**SHOP, resource={**CHAOS, **more})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: KillPods(**but(context=" "), selector="a=b"), "^context is empty"),
        (lambda: KillPods(**but(kubeconfig=""), selector="a=b"), "^kubeconfig is empty"),
        (lambda: KillPods(**but(namespace="kube-system"), selector="a=b"), "^namespace kube-system belongs to"),
        (lambda: KillPods(**but(namespace="../x"), selector="a=b"), "^namespace is not a name"),
        (lambda: KillPods(**SHOP, selector=" "), "^selector is empty"),
        (lambda: KillPods(**SHOP, selector="a=b", share=0.0), "^share is from"),
        (lambda: KillPods(**SHOP, selector="a=b", share=0.5, count=2), "^share and count"),
        (lambda: KillPods(**SHOP, selector="a=b", grace=1500), "^grace is in whole seconds"),
        (lambda: ScaleDeployment(**SHOP, deployment="A b"), "^deployment is not a name"),
        (lambda: ScaleDeployment(**but(namespace="kube-node-lease"), deployment="a"), "^namespace kube-"),
        (lambda: DenyNetwork(**SHOP, selector="app in (a)"), "^selector is not a list of labels"),
        (lambda: DenyNetwork(**SHOP, selector="a=b", check="host"), "^check is not an address"),
        (lambda: DenyNetwork(**SHOP, selector="a=b", check="http://u:p@h/"), "^check is not an address"),
        (lambda: DenyNetwork(**SHOP, selector="a=b", check="h:80", direction="egress"), "^check cannot tell"),
        (lambda: BadImage(**SHOP, deployment="a b"), "^deployment is not a name"),
        (lambda: BadImage(**SHOP, deployment="a", image="x y"), "^image is not a name of an image"),
        (lambda: RestartRollout(**SHOP, deployment="/"), "^deployment is not a name"),
        (lambda: DriftConfigMap(**SHOP, configmap="c"), "^set is empty"),
        (lambda: DriftConfigMap(**SHOP, configmap="c", set={"a/b": "x"}), "^set has what is no key"),
        (lambda: DriftConfigMap(**SHOP, configmap="c", set={"a": 1}), "^set takes text"),
        (lambda: DriftSecret(**SHOP, secret="s", set={"a": "1"}, remove=("a",)), "^set and remove both have a"),
        (lambda: FreezeAutoscaler(**SHOP, autoscaler="h", by="limits", direction="up"), "^direction is for policies"),
        (lambda: DenyNetwork(**SHOP, selector="a=b", to="db"), "^to is about connections from the pods"),
        (lambda: DenyNetwork(**SHOP, selector="a=b", to="../db", direction="egress"), "^to is not a name"),
        (lambda: DenyDns(**SHOP, selector="a=b", check="h:53"), "^check cannot tell"),
        (lambda: CustomResource(**SHOP, resource={}), "^resource has no apiVersion of a custom resource"),
        (lambda: custom(apiVersion="apps/v1"), "^resource has no apiVersion of a custom resource"),
        (lambda: custom(apiVersion="rbac.authorization.k8s.io/v1"), "^resource has no apiVersion of a custom"),
        (lambda: custom(kind="../x"), "^resource has no kind"),
        (lambda: custom(metadata={"name": "mine"}), "^resource has metadata.name, which is ours to give"),
        (lambda: custom(spec={}), "^resource has no duration at spec.duration"),
        (lambda: custom(spec={"duration": "0s"}), "^resource has no duration at spec.duration"),
        (
            lambda: custom(spec={"duration": "1m", "selector": {"namespaces": ("kube-system",)}}),
            "^resource is about the name",
        ),
        (
            lambda: CustomResource(**SHOP, resource=CHAOS, expires_by="spec.until"),
            "^resource has no duration at spec.until",
        ),
        (lambda: CustomResource(**SHOP, resource=CHAOS, proven_by={"status": "x"}), "^proven_by is"),
        (
            lambda: CustomResource(**SHOP, resource=CHAOS, proven_by={"json": "x", "equals": 1}),
            "^proven_by has not a path",
        ),
        (lambda: CordonNodes(**WHERE), "exactly one"),
        (lambda: CordonNodes(**WHERE, nodes=("a",), selector="b"), "exactly one"),
        (lambda: CordonNodes(**WHERE, nodes=("a/b",)), "^nodes is not a name"),
    ],
)
def test_what_a_driver_refuses_begins_with_the_parameter(make: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_without_the_client_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text("{}")
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    driver = KillPods(**but(kubeconfig=str(tmp_path / "config")), selector="a=b")
    with pytest.raises(DriverError, match="need the package kubernetes") as raised:
        driver.plan(World(run_id="r"))
    assert "gameday-runner[kubernetes]" in raised.value.hint


@pytest.mark.parametrize("text", ["{}", "not yaml: [", "", "[1]", '{"contexts": [{"name": "other", "context": {}}]}'])
def test_a_kubeconfig_that_has_no_such_context_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(DriverError, match=r"the context 'test' of .* cannot be used"):
        KillPods(**but(kubeconfig=str(path)), selector="a=b").plan(World(run_id="r"))
    with pytest.raises(DriverError, match="there is no kubeconfig"):
        KillPods(**but(kubeconfig=f"{path}:{path}"), selector="a=b").plan(World(run_id="r"))


def test_a_policy_alone_proves_nothing() -> None:
    assert not DenyNetwork(**SHOP, selector="a=b").provable
    assert DenyNetwork(**SHOP, selector="a=b", check="127.0.0.1:80").provable


def test_rules_of_the_cluster_are_a_cluster_role() -> None:
    needs = [Need(verb="patch", resource="nodes"), Need(verb="get", resource="nodes")]
    assert rules(needs, "").splitlines()[1:] == [
        "kind: ClusterRole",
        "metadata:",
        "  name: gameday",
        "rules:",
        '  - {apiGroups: [""], resources: [nodes], verbs: [get, patch]}',
    ]


def test_the_choice_is_the_same_again_and_another_for_another_run() -> None:
    pods = [Pod(name=f"p{n}", uid=f"u{n}", node="", ready=True, going=False) for n in range(20)]
    first = chosen(pods, 5, "run-1")
    assert chosen(pods[::-1], 5, "run-1") == first
    assert {chosen(pods, 5, f"run-{n}") for n in range(20)} != {first}
    assert len(set(first)) == 5


def test_selector_objects_are_written_as_text() -> None:
    expressions = [
        {"key": "tier", "operator": "In", "values": ["a", "b"]},
        {"key": "x", "operator": "DoesNotExist"},
    ]
    assert as_text({"matchLabels": {"app": "w"}, "matchExpressions": expressions}) == "app=w,tier in (a,b),!x"
    assert (as_text({}), as_text(None)) == ("", None)
