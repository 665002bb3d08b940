"""What a user may not do is said as RBAC rules, and those rules are exactly what was missing."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from gameday.testing import eventually
from tests.cluster.machine.credentials import NAME
from tests.cluster.real import WAIT_SECONDS, Shop
from tests.cluster.runs import experiment
from tests.harness import Lab

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(120, func_only=True)]
VIEW = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]


def role_in(text: str) -> dict[str, Any]:
    """Read the role that was printed, as somebody who copies its lines does: from its first to where its rules end."""
    lines = text[text.index("apiVersion: rbac.authorization.k8s.io/v1\n") :].splitlines()
    end = lines.index("rules:") + 1
    while end < len(lines) and lines[end].startswith("  - "):
        end += 1
    yaml: Any = importlib.import_module("yaml")
    return dict(yaml.safe_load("\n".join(lines[:end])))


def test_a_viewer_gets_the_lines_that_are_missing(shop: Shop, tmp_path: Path) -> None:
    url, before = shop.deploy(), shop.ready()
    where = {**shop.where, "kubeconfig": shop.viewer(tmp_path, rules=VIEW), "context": NAME}
    kill = {"do": "k8s.pod-kill", "with": {**where, "selector": "app=web", "grace": "0s"}}
    lab = Lab(tmp_path)
    path = lab.write(experiment(url, {**kill, "irreversible": "allow", "observe": "2s"}))
    planned = lab.run_verb("plan", str(path))
    assert planned.code == 3, planned.out
    refused = lab.run(path)
    assert refused.code not in (0, 1), refused.out
    assert shop.ready() == before
    role = role_in(refused.err)
    assert role_in(planned.out) == role
    assert role["metadata"]["namespace"] == shop.namespace
    assert {(group, resource, verb) for rule in role["rules"] for group in rule["apiGroups"] for resource in rule["resources"]
            for verb in rule["verbs"]} == {("", "pods", "delete"), ("policy", "poddisruptionbudgets", "list")}  # fmt: skip
    shop.ask("POST", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{shop.namespace}/roles", role)
    shop.bind(role["metadata"]["name"])
    ran = lab.run(path)
    assert ran.verdict["faults"][0]["proof"] == "proven", ran.out + ran.err
    assert eventually(lambda: len(shop.ready()) == 3, WAIT_SECONDS)
    assert len(set(before) & set(shop.ready())) == 2
