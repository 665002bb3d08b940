"""Kill one container of pods: a signal to its first process, from within; the kubelet starts it again, and the pod stays."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from gameday.model import Json, Plan
from gameday.spi import DriverError, Recovery, World
from gameday_drivers.kube.access import Need
from gameday_drivers.kube.api import Api, connect, planned
from gameday_drivers.kube.edits import look
from gameday_drivers.kube.execute import execute
from gameday_drivers.kube.logs import keep_logs
from gameday_drivers.kube.pods import path, read_pod
from gameday_drivers.kube.successors import measure, together, unready, workloads
from gameday_drivers.kube.target import check_name
from gameday_drivers.kube.victims import Victims, words

_LOOK_SECONDS = 0.1
_SLACK_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KillContainer(Victims):
    """End the first process of a container by a signal; its pod stays, and the kubelet starts the container again."""

    container: str = field(metadata={"help": "its name in the pod"})
    signal: Literal["TERM", "INT", "HUP", "QUIT", "ABRT", "USR1", "USR2"] = field(
        default="TERM", metadata={"help": "one that its process 1 handles; KILL from within is ignored by the kernel"}
    )
    command: tuple[str, ...] = field(
        default=(), metadata={"help": "run this in it instead of: /bin/sh -c 'kill -SIGNAL 1'"}
    )
    within: int = field(
        default=20_000,
        metadata={"unit": "duration", "min": 1_000, "max": 300_000, "help": "how long all of them may take to end"},
    )

    name = "k8s.container-kill"
    imports: ClassVar[tuple[str, ...]] = (*Victims.imports, "websocket")
    reversible = False
    provable = True

    def __post_init__(self) -> None:
        self.check_victims()
        check_name("container", self.container)

    @property
    def inject_seconds(self) -> float:
        """What the ends may take, and a few requests."""
        return self.within / 1000 + _SLACK_SECONDS

    def plan(self, world: World) -> Plan:
        """Choose the pods, and keep which container runs in each; DriverError where there is none of that name."""
        exec_needs = [Need(verb=verb, resource="pods", subresource="exec") for verb in ("create", "get")]
        with connect(self.kubeconfig, self.context) as api:
            self.require_rights(api, Need(verb="get", resource="pods"), *exec_needs)
            victims, ready = self.choose(api, world)
            kept = [
                {"name": pod.name, "uid": pod.uid, **self._running(api.get(path(self.namespace, pod.name)))}
                for pod in victims
            ]
            undo = {
                "cluster": api.cluster.to_json(),
                "namespace": self.namespace,
                "container": self.container,
                "victims": kept,
                "workloads": workloads(api, self.namespace, victims),
            }
            where = f"container {self.container} of pod {self.namespace}"
            targets = tuple(f"{where}/{words(pod)} {api.cluster.words}" for pod in victims)
        return Plan(driver=self.name, targets=targets, undo=undo, ready=ready, replaced=len(victims))

    def _running(self, pod: Json) -> dict[str, Any]:
        name = pod["metadata"]["name"]
        if pod["spec"].get("restartPolicy", "Always") == "Never":
            raise DriverError(f"pod {name} has restartPolicy: Never: nothing would start the container again")
        found = _status(pod, self.container)
        if found is None:
            known = ", ".join(one["name"] for one in pod["spec"].get("containers") or ())
            raise DriverError(f"container {self.container} is not in pod {name}; there are {known}")
        if "running" not in (found.get("state") or {}):
            raise DriverError(f"container {self.container} of pod {name} does not run")
        return {"id": str(found.get("containerID") or ""), "restarts": int(found.get("restartCount") or 0)}

    def inject(self, plan: Plan, world: World) -> None:
        """Send the signal in each, and return when each has ended; DriverError for one that goes on running."""
        argv = self.command or ("/bin/sh", "-c", f"kill -{self.signal} 1")
        undo, end = plan.undo, time.monotonic() + self.within / 1000
        with planned(undo) as api:
            for done, victim in enumerate(undo["victims"]):
                if (pod := _same(api, undo, victim)) is None or _has_ended(pod, undo["container"], victim):
                    raise DriverError(
                        f"{done} of {len(undo['victims'])} killed, then: {victim['name']} is not as planned"
                    )
                ran = execute(api, undo["namespace"], victim["name"], undo["container"], argv)
                if ran.error:
                    raise DriverError(
                        f"{done} of {len(undo['victims'])} killed, then in {victim['name']}: {ran.error}; {ran.output}",
                        hint="an image without a shell needs a command of its own: command: [...]",
                    )
            while left := [victim["name"] for victim in undo["victims"] if not _done(api, undo, victim)]:
                if time.monotonic() >= end:
                    raise DriverError(
                        f"{undo['container']} of {', '.join(left)} runs on after {self.within / 1000:g} s",
                        hint=f"its process 1 handles no SIG{self.signal}, so the kernel drops it: another signal, or a command",
                    )
                time.sleep(_LOOK_SECONDS)
            if self.logs:
                every = [(victim["name"], undo["container"]) for victim in undo["victims"]]
                keep_logs(api, world, undo["namespace"], every, previous=True)

    def active(self, plan: Plan, world: World) -> bool:  # noqa: ARG002 - the interface
        """Measure whether every one of those very containers has ended: another runs in its place, it was restarted, or its pod is gone."""
        with planned(plan.undo) as api:
            return all(_done(api, plan.undo, victim) for victim in plan.undo["victims"])

    def recovered(self, plan: Plan, world: World) -> Recovery:  # noqa: ARG002 - the interface
        """Measure in how many of those pods another container runs and is ready; a pod that is gone needs another one in its place."""
        undo = plan.undo
        with planned(undo) as api:
            listed = api.get(path(undo["namespace"]))["items"]
            live = {pod["metadata"]["uid"]: pod for pod in listed if not pod["metadata"].get("deletionTimestamp")}
            parts = [_restarted(api, live[one["uid"]], undo, one) for one in undo["victims"] if one["uid"] in live]
            gone = {one["uid"]: one["name"] for one in undo["victims"] if one["uid"] not in live}
            moved = [
                {**one, "lost": lost} for one in undo["workloads"] if (lost := [u for u in one["lost"] if u in gone])
            ]
            parts += [measure(api, moved)] if moved else []
        bare = gone.keys() - {uid for one in moved for uid in one["lost"]}
        for uid in sorted(bare, key=lambda uid: gone[uid]):
            parts.append(Recovery(lost=1, wanted=1, back=0, detail=f"{gone[uid]} is gone, and nothing starts it again"))
        return together(parts)

    def revert(self, plan: Plan, world: World) -> None:
        """Do nothing: the kubelet has started another one."""


def _same(api: Api, undo: Json, victim: Json) -> Json | None:
    pod = api.find(path(undo["namespace"], victim["name"]))
    return pod if pod is not None and pod["metadata"]["uid"] == victim["uid"] else None


def _done(api: Api, undo: Json, victim: Json) -> bool:
    pod = _same(api, undo, victim)
    return pod is None or _has_ended(pod, undo["container"], victim)


def _restarted(api: Api, pod: Json, undo: Json, victim: Json) -> Recovery:
    """Look at one pod that stayed: its container must be another one, as its own status has it, and it and its node ready."""
    found = _status(pod, undo["container"]) or {}
    why = "" if _has_ended(pod, undo["container"], victim) else f"{victim['name']}: it has not ended"
    if not why and not ("running" in (found.get("state") or {}) and found.get("ready")):
        reason = look(found, ("state", "waiting", "reason")) or "it is not ready"
        why = f"{undo['container']} of {victim['name']}: {reason}"
    why = why or ", ".join(unready(api, [read_pod(pod)]))
    return Recovery(lost=1, wanted=1, back=0 if why else 1, detail=why)


def _has_ended(pod: Json, container: str, victim: Json) -> bool:
    found = _status(pod, container) or {}
    restarted = int(found.get("restartCount") or 0) > victim["restarts"]
    other = bool(found.get("containerID")) and found["containerID"] != victim["id"]
    return restarted or other or "terminated" in (found.get("state") or {})


def _status(pod: Json, container: str) -> Json | None:
    every: list[Json] = pod.get("status", {}).get("containerStatuses") or []
    return next((one for one in every if one["name"] == container), None)
