"""An action of the Chaos Toolkit's Kubernetes extension, as it is, on a real cluster: made, proven and undone by us."""

from __future__ import annotations

from pathlib import Path

import pytest

from gameday.testing import eventually
from tests.cluster.real import WAIT_SECONDS, Shop
from tests.cluster.runs import experiment, measured
from tests.harness import Lab

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(120, func_only=True)]


def test_a_deployment_is_scaled_away_and_back(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", shop.reach.kubeconfig)
    monkeypatch.setenv("KUBERNETES_CONTEXT", shop.reach.context)
    url = shop.deploy()
    scale = {"module": "chaosk8s.deployment.actions", "func": "scale_deployment"}
    looked = {"module": "chaosk8s.crd.probes", "func": "get_custom_object"}
    deployment = {"group": "apps", "version": "v1", "plural": "deployments", "name": "web", "ns": shop.namespace}
    none_wanted = {"type": "jsonpath", "path": "$.spec.replicas", "expect": [0]}
    fault = {
        **scale,
        "arguments": {"name": "web", "replicas": 0, "ns": shop.namespace},
        "undo": {**scale, "arguments": {"name": "web", "replicas": 3, "ns": shop.namespace}},
        "active": {**looked, "arguments": deployment, "tolerance": none_wanted},
        "timeout": "20s",
    }
    lab = Lab(tmp_path)
    ran = measured(shop, lab, lab.write(experiment(url, {"do": "chaostoolkit", "with": fault, "for": "5s"})))
    assert ran.code == 1, ran.out + ran.err
    (found,) = ran.verdict["faults"]
    assert (found["proof"], found["undo"]) == ("proven", "proven")
    (objective,) = ran.verdict["objectives"]
    assert (objective["reason"], objective["recovery"]["result"]) == ("broken", "pass")
    assert eventually(lambda: len(shop.ready()) == 3, WAIT_SECONDS)
