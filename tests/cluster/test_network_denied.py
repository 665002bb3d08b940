"""Pods that are denied the network: nothing gets through while the policy is there, and everything afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.observer import TIMEOUT_SECONDS, Observer
from tests.cluster.real import Shop
from tests.cluster.runs import experiment, measured, opened, rows, wall_of
from tests.harness import Lab

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(120, func_only=True)]


def test_denied_ingress_is_an_outage_until_it_is_undone(shop: Shop, tmp_path: Path) -> None:
    url = shop.deploy()
    denied = {**shop.where, "selector": "app=web", "check": f"{url}/healthz"}
    lab = Lab(tmp_path)
    path = lab.write(experiment(url, {"do": "k8s.network-deny", "with": denied, "for": "5s"}))
    with Observer(url) as observer:
        ran = measured(shop, lab, path)
    assert ran.code == 1, ran.out + ran.err
    (fault,) = ran.verdict["faults"]
    assert (fault["proof"], fault["undo"]) == ("proven", "proven")
    (objective,) = ran.verdict["objectives"]
    assert (objective["reason"], objective["recovery"]["result"]) == ("broken", "pass")
    begin, end = (wall_of(opened(lab), fault[key]) for key in ("proven_ms", "revert_called_ms"))
    end -= TIMEOUT_SECONDS + 0.1  # what waits when the policy goes may still be answered
    assert not [at for at, good, _ in rows(lab) if good and begin <= at < end], "something got through"
    assert observer.share_bad(begin, end) == 1.0
    policies = f"/apis/networking.k8s.io/v1/namespaces/{shop.namespace}/networkpolicies"
    assert shop.ask("GET", policies)["items"] == []
