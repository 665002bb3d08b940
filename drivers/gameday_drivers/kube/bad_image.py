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
SEEN_SECONDS = 45.0
"""How long a kubelet may take to find out that it cannot pull it."""
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
                if _waiting(api, plan):
                    return
                time.sleep(_LOOK_SECONDS)
        raise DriverError(f"{plan.targets[0]}: no pod has failed to pull the image within {SEEN_SECONDS:g} s")

    def active(self, plan: Plan, world: World) -> bool:  # noqa: ARG002 - the interface
        """Measure whether our image is the deployment's, its controller has seen that, and a pod waits for the image in vain."""
        with planned(plan.undo) as api:
            return _waiting(api, plan)


_CONTAINERS = ("spec", "template", "spec", "containers")


def _waiting(api: Api, plan: Plan) -> bool:
    undo = plan.undo
    edits = edits_from(undo["edits"])
    found = ours(api, One.of(plan), undo["owner"])
    if found is None or not hold(found, edits) or not progress(found).seen:
        return False
    return any(cannot_pull(pod, edits[0].after) for pod in pods_of(api, undo["namespace"], found))
