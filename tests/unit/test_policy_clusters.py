"""Which environment a fault in a cluster is in: by context, API server and namespace; what none names is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gameday.policy.file import Policy
from gameday.policy.kubeconfig import server_of
from gameday.policy.recognised import environments
from gameday.policy.rules import refusals, target_refusals
from gameday.schema.experiment import Experiment
from tests.fakes.policies import MINUTE, TUESDAY, fault, policy, run_at

STAGING_API, PRODUCTION_API = "https://k8s.staging.test:6443", "https://k8s.test:6443"
HOSTS = '[environments.here]\nhosts = ["127.0.0.1"]\n'


TWICE = """\
contexts: [{name: a, context: {cluster: c}}]
clusters: [{name: c, cluster: {server: https://x}}, {name: c, cluster: {server: https://y}}]
"""


def clusters(*entries: str, name: str = "staging", more: str = "") -> str:
    return HOSTS + f"[environments.{name}]\nkubernetes = [{', '.join(entries)}]\n{more}\n"


def kubeconfig(folder: Path, **servers: str) -> str:
    """Write a kubeconfig; JSON is YAML."""
    path = folder / "kubeconfig"
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": f"c-{name}", "cluster": {"server": url}} for name, url in servers.items()],
                "contexts": [{"name": name, "context": {"cluster": f"c-{name}", "user": "u"}} for name in servers],
                "current-context": "elsewhere",
            }
        )
    )
    return str(path)


SHOP = '{context = "staging", namespaces = ["shop", "payments-*"]}'
SURE = f'{{context = "staging", server = "{STAGING_API}/", namespaces = ["shop"]}}'
WHOLE = '{context = "staging", cluster_scoped = true}'
ALL = '{context = "staging", namespaces = ["*"]}'
IN_SHOP = {"context": "staging", "namespace": "shop"}
CASES: dict[str, tuple[str, str, dict[str, Any], str]] = {
    # name: (policy, driver, parameters, what the refusal says; empty: none)
    "a namespace that is named": (clusters(SHOP), "k8s.pod-kill", IN_SHOP, ""),
    "by a pattern": (clusters(SHOP), "k8s.pod-kill", {"context": "staging", "namespace": "payments-api"}, ""),
    "another namespace": (
        clusters(SHOP),
        "k8s.pod-kill",
        {"context": "staging", "namespace": "mail"},
        "namespaces of it are shop",
    ),
    "another context": (clusters(SHOP), "k8s.pod-kill", {"context": "prod", "namespace": "shop"}, "in no environment"),
    "no cluster in the policy": (HOSTS, "k8s.pod-kill", IN_SHOP, "in no environment"),
    "no context": (clusters(SHOP), "k8s.pod-kill", {"namespace": "shop"}, "names no context"),
    "two namespaces": (
        clusters(SHOP),
        "k8s.x",
        {"context": "staging", "namespaces": ["shop", "mail"]},
        "namespace mail",
    ),
    "nodes, where namespaces are named": (
        clusters(SHOP),
        "k8s.node-cordon",
        {"context": "staging"},
        "cluster_scoped = true",
    ),
    "nodes, where they may be": (clusters(WHOLE), "k8s.node-drain", {"context": "staging"}, ""),
    "nodes, where all namespaces are": (clusters(ALL), "k8s.node-drain", {"context": "staging"}, ""),
    "a namespace, where only nodes may be": (clusters(WHOLE), "k8s.pod-kill", IN_SHOP, "namespaces of it are none"),
    "the right server": (clusters(SURE), "k8s.pod-kill", IN_SHOP, ""),
    "another server by that name": (
        clusters(SURE),
        "k8s.pod-kill",
        {**IN_SHOP, "context": "false"},
        "in no environment",
    ),
    "a context that leads elsewhere": (
        clusters(SURE.replace("staging", "prod", 1)),
        "k8s.pod-kill",
        {"context": "prod", "namespace": "shop"},
        f"leads to {PRODUCTION_API}, and it must be {STAGING_API}",
    ),
    "a kubeconfig that is not there": (
        clusters(SURE),
        "k8s.pod-kill",
        {**IN_SHOP, "kubeconfig": "/none"},
        "has no server",
    ),
    "a denied namespace": (clusters(SHOP, more='deny_namespaces = ["sh*"]'), "k8s.pod-kill", IN_SHOP, "is denied"),
    "another one is denied": (clusters(SHOP, more='deny_namespaces = ["mail"]'), "k8s.pod-kill", IN_SHOP, ""),
    "a cluster with a denied namespace": (
        clusters(WHOLE, more='deny_namespaces = ["mail"]'),
        "k8s.node-drain",
        {"context": "staging"},
        "mail with it, which is denied",
    ),
    "a driver that is denied": (clusters(SHOP, more='deny = ["k8s.pod-*"]'), "k8s.pod-kill", IN_SHOP, "is denied"),
    "a driver that is not allowed": (
        clusters(SHOP, more='allow = ["proxy.*"]'),
        "k8s.pod-kill",
        IN_SHOP,
        "allowed is proxy",
    ),
    "a stranger's driver in a cluster": (clusters(SHOP), "mesh.break", IN_SHOP, "can reach anything"),
    "a stranger's driver in a stranger's cluster": (
        clusters(SHOP, more='allow = ["mesh.*"]') + '[environments.more]\nhosts = ["x"]',
        "mesh.break",
        {"context": "other", "namespace": "shop"},
        "in no environment",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_may_be_done_in_a_cluster(name: str, tmp_path: Path) -> None:
    text, do, parameters, says = CASES[name]
    given = {"kubeconfig": kubeconfig(tmp_path, staging=STAGING_API, prod=PRODUCTION_API), **parameters}
    found = refusals([policy(text)], run_at(**fault(do, **given)), TUESDAY, MINUTE)
    assert bool(found) == bool(says), [str(one) for one in found]
    assert not says or any(says in str(one) for one in found), [str(one) for one in found]


def test_the_namespace_named_most_closely_decides(tmp_path: Path) -> None:
    text = clusters(ALL) + '[environments.production]\nkubernetes = [{context = "staging", namespaces = ["shop"]}]'
    run = run_at(**fault("k8s.pod-kill", kubeconfig="", **IN_SHOP))
    assert list(environments(policy(text), run)) == ["here", "production"]


def in_shop(tmp_path: Path) -> tuple[Policy, Experiment]:
    path = kubeconfig(tmp_path, staging=STAGING_API)
    return policy(clusters(SURE)), run_at(**fault("k8s.pod-kill", kubeconfig=path, **IN_SHOP))


def test_the_server_that_the_targets_were_found_at_counts(tmp_path: Path) -> None:
    found, run = in_shop(tmp_path)
    targets = {"one": ("pod shop/a",)}
    assert target_refusals([found], run, targets, {"one": STAGING_API}) == []
    refused = target_refusals([found], run, targets, {"one": PRODUCTION_API})
    assert any(f"leads to {PRODUCTION_API}" in str(one) for one in refused)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("{", ""),
        ("- a", ""),
        (
            "contexts: [{name: a, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: 'https://x/'}}]",
            "https://x",
        ),
        ("contexts: [{name: a, context: {cluster: c}}]\nclusters: [{name: d, cluster: {server: https://x}}]", ""),
        (TWICE, ""),
    ],
)
def test_a_kubeconfig_that_does_not_say_clearly_says_nothing(text: str, server: str, tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text(text)
    assert server_of(str(tmp_path / "kubeconfig"), "a") == server
