"""Roll out an image that cannot be pulled, as a mistaken deployment does, and put the good one back."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from gameday.model import Json, Plan
from gameday.spi import DriverError, NoTargetError, World
from gameday_drivers.kube.access import Need, require
from gameday_drivers.kube.api import Api, connect, planned
from gameday_drivers.kube.changing import ChangesOne
from gameday_drivers.kube.edits import Edit, One, edits_from, hold, ours
from gameday_drivers.kube.rollout import cannot_pull, path, pods_of, progress, require_found
from gameday_drivers.kube.target import check_name, refuse_marked

NOWHERE = "registry.invalid/gameday/bad-image:none"
"""No registry can have this name: .invalid is reserved (RFC 2606, section 2)."""
SEEN_SECONDS = 120.0
"""How long it may take until a kubelet has found out that it cannot pull it. With strategy Recreate the old pods go first: in 30 s unless
they say otherwise (terminationGracePeriodSeconds), and old kubelets keep what has ended for a minute more."""
_NEXT_POD_SECONDS = 1.0
"""How long a measurement waits for a pod that has just taken another one's place."""
_LOOK_SECONDS = 0.2
_IMAGE = re.compile(r"[\w.:/@-]{1,500}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BadImage(ChangesOne):
    """Give a container of a deployment an image that cannot be pulled; afterwards it has the one from before."""

    deployment: str = field(metadata={"help": "its name"})
    container: str = field(default="", metadata={"help": "the container; needed where a pod has several"})
    image: str = field(default=NOWHERE, metadata={"help": "the image, which must be one that cannot be pulled"})

    name = "k8s.bad-image"
    inject_seconds = SEEN_SECONDS + 10.0

    def __post_init__(self) -> None:
        self.check_namespace()
        check_name("deployment", self.deployment)
        if self.container:
            check_name("container", self.container)
        if not _IMAGE.fullmatch(self.image):
            raise ValueError(f"image is not a name of an image: {self.image!r:.80}")

    def plan(self, world: World) -> Plan:
        """Keep the image that it has; its ready pods are what ``keep_ready`` counts."""
        needs = [Need(verb=verb, resource="deployments", group="apps") for verb in ("get", "patch")]
        with connect(self.kubeconfig, self.context) as api:
            require(api, [*needs, Need(verb="list", resource="pods")], namespace=self.namespace)
            found = require_found(api, self.namespace, self.deployment)
            words = f"deployment {self.namespace}/{self.deployment}"
            refuse_marked(found, words)
            name, before = self._container(found, words)
            state = progress(found)
            if not state.wanted:
                raise NoTargetError(f"{words} has no replicas: nothing would pull the image")
            edit = Edit(path=(*_CONTAINERS, f"name={name}", "image"), before=before, after=self.image)
            undo = self.undo(api, path(self.namespace, self.deployment), found, [edit], world)
            shown = f"{words} (image of {name}: {before} to {self.image}) {api.cluster.words}"
        return Plan(driver=self.name, targets=(shown,), undo=undo, ready=state.available)

    def _container(self, found: Json, words: str) -> tuple[str, str]:
        """Return its name and its image."""
        has = {item["name"]: str(item.get("image", "")) for item in found["spec"]["template"]["spec"]["containers"]}
        if self.container not in has and (self.container or len(has) != 1):
            why = f"no container {self.container}" if self.container else "several containers: name one"
            raise NoTargetError(f"{words} has {why}; there are {', '.join(sorted(has))}")
        name = self.container or next(iter(has))
        if has[name] == self.image:
            raise NoTargetError(f"container {name} of {words} has the image {self.image} already")
        return name, has[name]

    def inject(self, plan: Plan, world: World) -> None:
        """Roll it out; return when a new pod waits for the image, because it cannot be pulled."""
        super(BadImage, self).inject(plan, world)
        with planned(plan.undo) as api:
            end = time.monotonic() + SEEN_SECONDS
            while time.monotonic() < end:
                found = _with_our_image(api, plan)
                if found is not None and _waits(api, plan, found):
                    return
                time.sleep(_LOOK_SECONDS)
        raise DriverError(f"{plan.targets[0]}: no pod has failed to pull the image within {SEEN_SECONDS:g} s")

    def active(self, plan: Plan, world: World) -> bool:  # noqa: ARG002 - the interface
        """Measure whether the deployment has our image and a pod waits for it in vain; DriverError when none does."""
        end = time.monotonic() + _NEXT_POD_SECONDS
        with planned(plan.undo) as api:
            while (found := _with_our_image(api, plan)) is not None:
                if _waits(api, plan, found):
                    return True
                if time.monotonic() >= end:
                    raise DriverError(f"{plan.targets[0]}: it has the image, and no pod waits for it")
                time.sleep(_LOOK_SECONDS)
        return False


_CONTAINERS = ("spec", "template", "spec", "containers")


def _with_our_image(api: Api, plan: Plan) -> Json | None:
    found = ours(api, One.of(plan), plan.undo["owner"])
    return found if found is not None and hold(found, edits_from(plan.undo["edits"])) else None


def _waits(api: Api, plan: Plan, found: Json) -> bool:
    """Whether its controller has seen the image, and a pod waits for it in vain."""
    image = str(edits_from(plan.undo["edits"])[0].after)
    return progress(found).seen and any(cannot_pull(pod, image) for pod in pods_of(api, plan.undo["namespace"], found))
