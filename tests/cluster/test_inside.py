"""The runner in a pod, by the manifests that ship and the image of their Containerfile: it runs, ends in peace, and is killed."""

from __future__ import annotations

import copy
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gameday.testing import eventually
from tests.cluster import manifests
from tests.cluster.machine import control
from tests.cluster.machine.gameday_image import image_of
from tests.cluster.machine.place import Place
from tests.cluster.real import WAIT_SECONDS, Reach, Shop
from tests.fakes.busy import until_measured

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(900, func_only=True)]
START_SECONDS, END_SECONDS, BACK_SECONDS = 60.0, 120.0, 30.0
SCALE = """version: 1
title: The deployment is away
hypothesis: Nobody needs it.
load:
  target: "http://web.{0}.svc"
  rate: 20/s
  requests: [{{name: page, get: /}}]
objectives:
  available: {{expect: errors < 5%, recover: {{within: 20s, hold: 2s}}}}
phases: {{warmup: 500ms, baseline: 3s, recovery: 22s}}
faults:
  - scaled-away:
      do: k8s.deployment-scale
      with: {{kubeconfig: /etc/gameday/kubeconfig, context: here, namespace: {0}, deployment: web, expires: 5m}}
      at: 0s
      for: 4m
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """A namespace with the application, the service account with its rights, and the manifests of a Job and of the recovery."""

    shop: Shop
    place: Place
    documents: list[dict[str, Any]]

    def job(self, name: str, template: str = "Job", *words: str, experiment: str = "") -> str:
        """Make a Job of one that ships (of the CronJob, as kubectl create job --from does it), with more arguments; return its name."""
        (found,) = (copy.deepcopy(one) for one in self.documents if one["kind"] == template)
        spec = found["spec"]["jobTemplate"]["spec"] if template == "CronJob" else found["spec"]
        pod = spec["template"]["spec"]
        pod["hostAliases"] = self._names()
        pod["containers"][0]["args"] += words
        if experiment:
            made = {"metadata": {"name": name}, "data": {"experiment.yaml": experiment}}
            self.shop.core.create_namespaced_config_map(self.shop.namespace, made)
            (volume,) = (volume for volume in pod["volumes"] if volume["name"] == "experiment")
            volume["configMap"] = {"name": name}
        manifests.create(self.shop, {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec})
        return name

    def _names(self) -> list[dict[str, Any]]:
        """What a cluster's DNS says, for one that has none: the API server and the application, by the addresses of their services."""
        api = self.shop.ask("GET", "/api/v1/namespaces/default/services/kubernetes")["spec"]["clusterIP"]
        web = self.shop.ask("GET", f"/api/v1/namespaces/{self.shop.namespace}/services/web")["spec"]["clusterIP"]
        return [
            {"ip": api, "hostnames": ["kubernetes.default.svc"]},
            {"ip": web, "hostnames": [f"web.{self.shop.namespace}.svc"]},
        ]

    def pods(self, job: str) -> list[Any]:
        return list(
            self.shop.ask("GET", f"/api/v1/namespaces/{self.shop.namespace}/pods?labelSelector=job-name%3D{job}")[
                "items"
            ]
        )

    def log(self, job: str) -> str:
        texts = [
            str(self.shop.core.read_namespaced_pod_log(pod["metadata"]["name"], self.shop.namespace))
            for pod in self.pods(job)
        ]
        return "\n".join(texts) + json.dumps([pod["status"] for pod in self.pods(job)])[:3000]

    def ended(self, job: str, seconds: float = END_SECONDS) -> int:
        """Wait for the end of its one pod; return the exit code of its container."""
        assert eventually(lambda: bool(self._codes(job)), seconds), self.log(job)
        (code,) = self._codes(job)
        return code

    def _codes(self, job: str) -> list[int]:
        states = [one["state"] for pod in self.pods(job) for one in pod["status"].get("containerStatuses") or ()]
        return [int(state["terminated"]["exitCode"]) for state in states if "terminated" in state]

    def _is_away(self) -> bool:
        return self.shop.replicas() == 0 and self.shop.pods() == []

    def was_busy(self, job: str) -> bool:
        """Whether a run ended because its load generator got too little of this machine to measure anything."""
        return bool(self._codes(job)) and "the load generator did not measure reliably" in self.log(job)

    def scaled_away(self, name: str) -> Any:
        """Run until its fault is on; return its pod."""

        def attempt(number: int) -> str:
            job = self.job(f"{name}-{number}", experiment=SCALE.format(self.shop.namespace))
            assert eventually(lambda: self._is_away() or bool(self._codes(job)), START_SECONDS), self.log(job)
            return job

        job = until_measured(attempt, self.was_busy)
        assert self._is_away(), self.log(job)
        assert self.shop.annotations()["gameday.io/run"]
        (pod,) = self.pods(job)
        return pod

    def kill(self, pod: Any) -> None:
        """End the container's first process, and with it all others, as the kernel does for want of memory."""
        os.kill(control.first_of(self.place, pod["metadata"]["uid"], "/experiment/experiment.yaml"), signal.SIGKILL)

    def recovered(self, name: str, *words: str) -> tuple[int, str, float]:
        """Run the recovery now; return its exit code, what it said, and after how many seconds it had ended."""
        began = time.monotonic()
        code = self.ended(self.job(name, "CronJob", *words))
        return code, self.log(name), time.monotonic() - began


@pytest.fixture(scope="module")
def inside(
    reach: Reach, namespaces: list[str], tmp_path_factory: pytest.TempPathFactory, machine: Place
) -> Iterator[Inside]:
    image = image_of(machine)
    shop = Shop(reach)
    shop.open()
    namespaces.append(shop.namespace)
    text = (manifests.FOLDER / "once/experiment.yaml").read_text()
    for before, after in {
        "web.shop.svc": f"web.{shop.namespace}.svc", "namespace: shop": f"namespace: {shop.namespace}",
        "baseline: 20s": "baseline: 4s", "recovery: 40s": "recovery: 9s", "observe: 30s": "observe: 5s", "within: 30s, ": "",
    }.items():  # fmt: skip
        assert text.count(before) == 1
        text = text.replace(before, after)
    folder = manifests.ours(tmp_path_factory.mktemp("deploy"), shop.namespace, image, text)
    documents = manifests.rendered(folder)
    manifests.remove_clusterwide(shop, documents)  # of a lane that was killed
    try:
        shop.deploy(port=False)
        for document in documents:
            if document["kind"] == "CronJob":
                document["spec"]["suspend"] = True  # the tests say when
            if document["kind"] != "Job":
                manifests.create(shop, document)
        yield Inside(shop=shop, place=machine, documents=documents)
    finally:
        manifests.remove_clusterwide(shop, documents)
        shop.close()


def volume_of(place: Place, pod: Any) -> Path:
    """Return where the node keeps the volume ``runs`` of a pod; it is there as long as the pod is."""
    node, uid = str(pod["spec"]["nodeName"]), str(pod["metadata"]["uid"])
    return place.run / node / "kubelet/pods" / uid / "volumes/kubernetes.io~empty-dir/runs"


def test_the_job_that_ships_kills_a_pod_and_passes(inside: Inside) -> None:
    before = set(inside.shop.ready())

    def attempt(number: int) -> str:
        job = inside.job(f"gameday-{number}")
        inside.ended(job)
        return job

    job = until_measured(attempt, inside.was_busy)
    assert inside.ended(job) == 0, inside.log(job)
    (pod,) = inside.pods(job)
    (folder,) = (path for path in volume_of(inside.place, pod).iterdir() if not path.name.startswith("."))
    verdict = json.loads((folder / "verdict.json").read_text())
    assert (verdict["verdict"], verdict["faults"][0]["proof"]) == ("pass", "proven")
    assert (folder / "report.html").stat().st_size > 10_000
    assert (folder / "verdict.json").stat().st_uid == 10001
    assert eventually(lambda: len(inside.shop.ready()) == 3, WAIT_SECONDS)
    assert set(inside.shop.ready()) - before, "one came in its place"


def test_a_runner_that_is_deleted_takes_its_fault_back(inside: Inside) -> None:
    pod = inside.scaled_away("deleted")
    inside.shop.core.delete_namespaced_pod(pod["metadata"]["name"], inside.shop.namespace)
    assert eventually(lambda: inside.shop.replicas() == 3 and not inside.shop.annotations(), BACK_SECONDS), inside.log(
        "deleted"
    )
    assert eventually(lambda: len(inside.shop.ready()) == 3, WAIT_SECONDS)


def test_what_a_killed_runner_left_is_taken_back_from_its_annotations(inside: Inside) -> None:
    """Runner and watchdog die with their container. The recovery waits for the end of the fault's time, or is told the run."""
    pod = inside.scaled_away("killed")
    run = inside.shop.annotations()["gameday.io/run"]
    inside.kill(pod)
    job = pod["metadata"]["labels"]["job-name"]
    assert inside.ended(job, BACK_SECONDS) == 128 + signal.SIGKILL
    assert [one["metadata"]["uid"] for one in inside.pods(job)] == [pod["metadata"]["uid"]], (
        "a lost run is not repeated"
    )
    assert inside.shop.replicas() == 0

    code, said, _ = inside.recovered("too-early")
    assert (code, inside.shop.replicas()) == (0, 0), said
    assert inside.shop.annotations()["gameday.io/run"] == run

    code, said, seconds = inside.recovered("by-name", run)
    assert (code, inside.shop.replicas(), inside.shop.annotations()) == (0, 3, {}), said
    assert seconds < BACK_SECONDS
    assert eventually(lambda: len(inside.shop.ready()) == 3, WAIT_SECONDS)


def test_what_has_expired_is_taken_back_by_the_schedule_alone(inside: Inside) -> None:
    pod = inside.scaled_away("expired")
    inside.kill(pod)
    inside.ended(pod["metadata"]["labels"]["job-name"], BACK_SECONDS)
    past = {"metadata": {"annotations": {"gameday.io/expires": "2026-01-01T00:00:00Z"}}}  # five minutes pass
    inside.shop.apps.patch_namespaced_deployment("web", inside.shop.namespace, past)
    code, said, seconds = inside.recovered("on-time")
    assert (code, inside.shop.replicas(), inside.shop.annotations()) == (0, 3, {}), said
    assert seconds < BACK_SECONDS
    assert eventually(lambda: len(inside.shop.ready()) == 3, WAIT_SECONDS)
