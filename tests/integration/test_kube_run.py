"""Whole runs whose faults are in a cluster: planned, made, proven, judged and undone by the real runner."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gameday.testing import eventually, stays
from tests.fakes.kube import FakeKube
from tests.fakes.kube.store import DEPLOYMENTS
from tests.harness import Lab

pytestmark = pytest.mark.long


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as kube:
        kube.deploy("web", 3)
        assert eventually(lambda: len(kube.ready("web")) == 3)
        yield kube


def faults(kube: FakeKube, folder: Path, **kill: Any) -> list[dict[str, Any]]:
    where = {"kubeconfig": kube.write_kubeconfig(folder / "kubeconfig"), "context": "fake", "namespace": "shop"}
    killed = {"do": "k8s.pod-kill", "with": {**where, "selector": "app=web", "grace": "0s"}, "at": "0s"}
    scaled = {"do": "k8s.deployment-scale", "with": {**where, "deployment": "web"}, "at": "2s", "for": "2s"}
    return [
        {"pod-killed": {**killed, "irreversible": "allow", "observe": "2s", "keep_ready": 2, **kill}},
        {"scaled-away": scaled},
    ]


def test_a_pod_is_killed_and_a_deployment_scaled_away_and_back(kube: FakeKube, tmp_path: Path) -> None:
    lab, before = Lab(tmp_path), kube.ready("web")
    ran = lab.measured(lab.write(faults=faults(kube, tmp_path)))
    assert ran.code == 0, ran.out + ran.err
    assert eventually(lambda: len(kube.ready("web")) == 3)
    assert not before & kube.ready("web")
    assert not kube.store.get(DEPLOYMENTS, "shop", "web")["metadata"].get("annotations")
    assert sum(method == "DELETE" for method, _, _ in kube.requests) == 1
    recovered = ran.verdict["faults"][0]["recovered"]
    assert (recovered["result"], recovered["lost"], recovered["back"]) == ("recovered", 1, 1)
    assert recovered["at_ms"] >= ran.verdict["faults"][0]["proven_ms"]
    journal = (lab.run_folder / "journal.ndjson").read_text()
    assert kube.url in journal
    (log,) = lab.run_folder.glob("victims/pod-killed/*.c.log")
    assert log.read_text().split()[-1] in before, "what that very victim said"
    assert f'"file":"victims/pod-killed/{log.name}"' in journal.replace(" ", "")


def test_a_pod_that_nothing_replaces_makes_no_pass_whatever_the_status_says(kube: FakeKube, tmp_path: Path) -> None:
    assert eventually(lambda: told_ready(kube) == 3)
    kube.pace.replaces = kube.pace.tells = False
    lab = Lab(tmp_path)
    ran = lab.measured(lab.write(faults=faults(kube, tmp_path)[:1]))
    assert told_ready(kube) == 3
    assert ran.code == 3, ran.out + ran.err
    assert "not-recovered" in ran.reasons
    (fault,) = ran.verdict["faults"]
    assert fault["recovered"]["result"] == "not-recovered"
    assert "1 of 1 had no ready successor when the run ended" in fault["detail"]
    assert "Deployment web has started no other" in fault["recovered"]["detail"]
    assert [event["data"]["end"] for event in lab.events() if event["kind"] == "recovery"] == [False, True]
    assert "NOT RECOVERED" in ran.out + ran.err
    last = [event["data"].get("name") for event in lab.events() if event["kind"] in ("recovery", "phase")][-2:]
    assert last == [None, "end"], "nobody looks after the end of the run"


def told_ready(kube: FakeKube) -> int:
    return int(kube.store.get(DEPLOYMENTS, "shop", "web")["status"].get("readyReplicas") or 0)


def test_a_blast_radius_that_is_too_large_touches_nothing(kube: FakeKube, tmp_path: Path) -> None:
    lab, before = Lab(tmp_path), kube.ready("web")
    ran = lab.measured(lab.write(faults=faults(kube, tmp_path, keep_ready=3)))
    assert ran.code not in (0, 1), ran.out
    assert "keep_ready" in ran.out + ran.err
    assert kube.ready("web") == before
    assert not any(method in ("DELETE", "PATCH") for method, _, _ in kube.requests)


def test_rights_that_are_missing_are_printed_as_rules_to_copy(kube: FakeKube, tmp_path: Path) -> None:
    kube.denied.add(("delete", "pods"))
    lab = Lab(tmp_path)
    path = lab.write(faults=faults(kube, tmp_path)[:1])
    rules = (
        "kind: Role\nmetadata:\n  name: gameday\n  namespace: shop\nrules:\n"
        '  - {apiGroups: [""], resources: [pods], verbs: [delete]}\n'
    )
    planned = lab.run_verb("plan", str(path))
    assert planned.code == 3
    assert rules in planned.out
    ran = lab.measured(path)
    assert ran.code not in (0, 1), ran.out
    assert rules in ran.err
    assert len(kube.ready("web")) == 3


def test_pods_are_killed_in_rounds_each_chosen_anew(kube: FakeKube, tmp_path: Path) -> None:
    lab, before = Lab(tmp_path), kube.ready("web")
    rounds = faults(kube, tmp_path, every="700ms", times=3, max_targets=3, keep_ready=0)[:1]
    ran = lab.measured(lab.write(faults=rounds))
    assert ran.code == 0, ran.out + ran.err
    killed = [body["preconditions"]["uid"] for method, _, body in kube.requests if method == "DELETE"]
    assert len(set(killed)) == len(killed) == 3
    journal = (lab.run_folder / "journal.ndjson").read_text()
    assert all(uid in journal for uid in killed), "each victim is on the disk"
    assert killed[0] in before
    assert eventually(lambda: len(kube.ready("web")) == 3)
    assert not set(killed) & kube.ready("web")


def test_when_the_runner_is_killed_between_rounds_nothing_goes_on_killing(kube: FakeKube, tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    rounds = faults(kube, tmp_path, every="400ms", times=100, observe="60s", max_targets=100, keep_ready=0)[:1]

    def kills() -> int:
        return sum(method == "DELETE" for method, _, _ in kube.requests)

    with lab.active(lab.write(faults=rounds), fault=next(iter(rounds[0]))) as running:
        assert eventually(lambda: kills() >= 3, 60)
        running.kill()
        running.wait(20)
        done = kills()
        assert stays(lambda: kills() <= done + 1, 2.0), "the one that was on its way, and no other"
