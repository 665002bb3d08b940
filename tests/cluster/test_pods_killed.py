"""Pods killed under load: what the run measured is what an observer of another making saw."""

from __future__ import annotations

from pathlib import Path

import pytest

from gameday.testing import eventually
from tests.cluster.observer import Observer
from tests.cluster.real import WAIT_SECONDS, Shop
from tests.cluster.runs import experiment, measured, opened, phase_of, rows, wall_of
from tests.harness import Lab

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(150, func_only=True)]


def test_an_outage_is_measured_as_an_observer_sees_it(shop: Shop, tmp_path: Path) -> None:
    """All pods die at once and take four seconds to be ready again."""
    url, before = shop.deploy(warm="4s"), set(shop.ready())
    kill = {"do": "k8s.pod-kill", "with": {**shop.where, "selector": "app=web", "count": 3, "grace": "0s"}}
    lab = Lab(tmp_path)
    path = lab.write(experiment(url, {**kill, "irreversible": "allow", "observe": "3s"}))
    with Observer(url) as observer:
        ran = measured(shop, lab, path)
    assert ran.code == 1, ran.out + ran.err
    begin, end = phase_of(lab, "fault")
    ours = [row for row in rows(lab) if begin <= row[0] < end]
    bad = sum(count for _, good, count in ours if not good) / sum(count for *_, count in ours)
    assert bad > 0.5
    assert abs(bad - observer.share_bad(begin, end)) < 0.15
    (objective,) = ran.verdict["objectives"]
    assert (objective["reason"], objective["recovery"]["result"]) == ("broken", "pass")
    from_wall = wall_of(opened(lab), objective["recovery"]["from_ms"])
    seen = observer.good_from(from_wall, hold=2) - from_wall
    assert seen > 1, "the outage outlives the observation"
    assert abs(objective["recovery"]["seconds"] - seen) < 1.5
    assert eventually(lambda: len(shop.ready()) == 3, WAIT_SECONDS)
    assert not before & set(shop.ready())


def test_a_budget_is_honoured_and_one_pod_is_not_missed(shop: Shop, tmp_path: Path) -> None:
    """Two of three are more than the budget allows: nothing is touched. One goes in peace, and the shop goes on."""
    url, before = shop.deploy(), shop.ready()
    shop.protect("web", 2)
    kill = {"do": "k8s.pod-kill", "irreversible": "allow", "observe": "4s", "keep_ready": 2, "max_targets": 2}
    lab = Lab(tmp_path)
    two = {**kill, "keep_ready": 1, "with": {**shop.where, "selector": "app=web", "count": 2}}
    refused = lab.run(lab.write(experiment(url, two)))
    assert refused.code not in (0, 1), refused.out
    assert "the disruption budget web allows 1 disruptions now, and this would be 2" in refused.out + refused.err
    assert shop.ready() == before
    one = {**kill, "with": {**shop.where, "selector": "app=web", "count": 1}}
    ran = measured(shop, lab, lab.write(experiment(url, one)))
    assert ran.code == 0, ran.out + ran.err
    assert eventually(lambda: len(shop.ready()) == 3, WAIT_SECONDS)
    assert ran.verdict["faults"][0]["proof"] == "proven"
    assert set(before) - set(shop.ready())
