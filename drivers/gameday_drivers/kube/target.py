"""Where a Kubernetes fault is for, and what is off limits; and the marks by which what is ours is known again."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from gameday.model import Json
from gameday.spi import DriverError, World

KUBECONFIG_HELP = "the kubeconfig file; KUBECONFIG is never read"
CONTEXT_HELP = "the context in it; the current one is never used"
NAMESPACE_HELP = "the namespace; those of the system are refused"
EXPIRES_HELP = "when what is left behind, by whatever accident, counts as forgotten (annotation gameday.io/expires)"
EXPIRES_MS = 3_600_000
RUN, FAULT, EXPIRES = "gameday.io/run", "gameday.io/fault", "gameday.io/expires"
UNDO = "gameday.io/undo"
"""What takes it back, for whoever finds it: see gameday_drivers.kube.marks."""
REQUEST_SECONDS = 1.0
"""How long a request whose sender has died may still take to act: proven again so much later."""
YOUNG_SECONDS = 5.0
"""How long after an object was made its controller may be about to act on it."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
SYSTEM = "kube-"
"""How the names of namespaces begin that are never touched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InCluster:
    """What every Kubernetes fault is given."""

    kubeconfig: str = field(metadata={"help": KUBECONFIG_HELP})
    context: str = field(metadata={"help": CONTEXT_HELP})

    request_seconds = REQUEST_SECONDS
    imports: ClassVar[tuple[str, ...]] = ("kubernetes", "yaml")

    def check_cluster(self) -> None:
        """Raise ValueError for what names no cluster."""
        for name, value in (("kubeconfig", self.kubeconfig), ("context", self.context)):
            if not value.strip():
                raise ValueError(f"{name} is empty: a cluster is always named")


@dataclass(frozen=True, slots=True, kw_only=True)
class InNamespace(InCluster):
    """What every fault inside one namespace is given."""

    namespace: str = field(metadata={"help": NAMESPACE_HELP})

    def check_namespace(self) -> None:
        """Raise ValueError for what names no cluster, or a namespace that is never touched."""
        self.check_cluster()
        check_namespace("namespace", self.namespace)


def check_name(parameter: str, value: str) -> None:
    """Raise ValueError unless it is a name of an object; names go into paths of requests."""
    if not _NAME.fullmatch(value):
        raise ValueError(f"{parameter} is not a name in Kubernetes: {value!r}")


def check_namespace(parameter: str, value: str) -> None:
    """Raise ValueError for what is no namespace, or one that is never touched."""
    check_name(parameter, value)
    if value.startswith(SYSTEM):
        raise ValueError(f"{parameter} {value} belongs to the system and is never touched")


def check_selector(value: str) -> None:
    """Raise ValueError for a label selector that would select everything."""
    if not value.strip():
        raise ValueError("selector is empty, which would select everything; write one like app=shop")


def marks(world: World, expires_ms: int) -> dict[str, str]:
    """Return the annotations of what this fault makes or changes."""
    end = datetime.fromtimestamp(time.time() + expires_ms / 1000, UTC)
    return {**owner(world), EXPIRES: end.strftime("%Y-%m-%dT%H:%M:%SZ")}


def owner(world: World) -> dict[str, str]:
    """Return those of them by which our own are known again."""
    return {RUN: world.run_id, FAULT: world.fault}


def no_marks() -> dict[str, None]:
    """Return the merge patch that removes them."""
    return {RUN: None, FAULT: None, EXPIRES: None, UNDO: None}


def notes(found: Json) -> Mapping[str, Any]:
    """Return an object's annotations."""
    has: Mapping[str, Any] | None = found["metadata"].get("annotations")
    return has or {}


def is_ours(found: Json, mine: Mapping[str, str]) -> bool:
    """Whether an object has the marks that ``owner`` gave."""
    has = notes(found)
    return all(has.get(key) == value for key, value in mine.items())


def is_young(found: Json, now: float) -> bool:
    """Whether an object was made a moment ago by the server's clock (seconds since the epoch): what it does may come yet."""
    made = datetime.fromisoformat(str(found["metadata"]["creationTimestamp"]))
    return now - made.timestamp() < YOUNG_SECONDS


def refuse_marked(found: Json, words: str) -> None:
    """Raise DriverError when another fault is on it, or was left on it: whose prior state we would take for the good one."""
    run = notes(found).get(RUN)
    if run is not None:
        raise DriverError(f"{words} is changed by the run {run} already", hint="end it, or recover it: gameday recover")
