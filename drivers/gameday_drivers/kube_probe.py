"""A gauge from a Kubernetes cluster: ready pods, restarts, warnings, CPU, memory, and what an autoscaler has and wants."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from gameday.spi import DriverError, ProbeError, QueryError, World
from gameday.spi.probe import READ_MS
from gameday_drivers.kube import readings
from gameday_drivers.kube.answers import KubeError
from gameday_drivers.kube.api import REQUEST_SECONDS, Api, connect
from gameday_drivers.kube.target import CONTEXT_HELP, KUBECONFIG_HELP, check_name

_OF_PODS = ("ready", "restarts", "cpu", "memory")
_REQUESTS = 2
"""At most so many, one after the other, in one read."""
_OURS = (400, 401, 403, 405)
"""Answers that stay the same however often one asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeProbe:
    """Read one number in a namespace of a cluster."""

    value: Literal["ready", "restarts", "cpu", "memory", "warnings", "hpa-current", "hpa-desired"] = field(
        metadata={
            "help": "what: of pods (ready, restarts, cpu in cores, memory in bytes), events, an autoscaler's replicas"
        }
    )
    kubeconfig: str = field(metadata={"help": KUBECONFIG_HELP})
    context: str = field(metadata={"help": CONTEXT_HELP})
    namespace: str = field(metadata={"help": "the namespace"})
    selector: str = field(default="", metadata={"help": "which pods: a label selector, like app=web"})
    deployment: str = field(default="", metadata={"help": "which pods: those of this deployment"})
    autoscaler: str = field(default="", metadata={"help": "name of the HorizontalPodAutoscaler, for hpa-…"})
    reason: str = field(default="", metadata={"help": "only warnings of this reason, like BackOff"})
    window: int = field(
        default=60_000,
        metadata={"unit": "duration", "min": 1000, "help": "how long ago a warning may be, by the server's clock"},
    )
    absent: Literal["no-data", "zero"] = field(
        default="no-data", metadata={"help": "what no pod at all for a selector means, for ready"}
    )
    timeout_: int = field(
        default=READ_MS, metadata={"unit": "duration", "min": 100, "help": "how long one read may take"}
    )

    name = "k8s"

    def __post_init__(self) -> None:
        check_name("namespace", self.namespace)
        of_pods, of_hpa = self.value in _OF_PODS, self.value.startswith("hpa-")
        if of_pods and bool(self.selector.strip()) == bool(self.deployment):
            raise ValueError(f"value {self.value} is about pods; give exactly one of selector and deployment")
        if not of_pods and (self.selector or self.deployment):
            raise ValueError(f"value {self.value} is not about pods; remove selector and deployment")
        if of_hpa != bool(self.autoscaler):
            raise ValueError("autoscaler is for hpa-current and hpa-desired, and they need it")
        if self.reason and (self.value != "warnings" or not self.reason.isalnum()):
            raise ValueError("reason is one word, like BackOff, and for warnings")
        for key in ("deployment", "autoscaler"):
            if getattr(self, key):
                check_name(key, getattr(self, key))

    @property
    def timeout(self) -> float:
        """Seconds for all of its requests."""
        return self.timeout_ / 1000

    def read(self, world: World) -> float:  # noqa: ARG002 - the interface
        """Return the number as it is now."""
        seconds = min(REQUEST_SECONDS, self.timeout / _REQUESTS)
        try:
            with connect(self.kubeconfig, self.context, seconds) as api:
                return self._number(api)
        except KubeError as error:
            kind = QueryError if error.status in _OURS else ProbeError
            raise kind(str(error)) from None
        except DriverError as error:
            raise QueryError(str(error), hint=error.hint) from None
        except (KeyError, TypeError, AttributeError):
            raise QueryError("the API server answers with what is not this object") from None

    def _number(self, api: Api) -> float:
        where = self.namespace
        if self.value == "warnings":
            return readings.warnings(api, where, self.reason, self.window / 1000)
        if self.autoscaler:
            which = "currentReplicas" if self.value == "hpa-current" else "desiredReplicas"
            return readings.replicas(api, where, self.autoscaler, which)
        selector = self.selector or readings.selector_of(api, where, self.deployment)
        if self.value == "ready":
            may_be_none = bool(self.deployment) or self.absent == "zero"
            return readings.ready(api, where, selector, may_be_none=may_be_none)
        if self.value == "restarts":
            return readings.restarts(api, where, selector)
        return readings.usage(api, where, selector, self.value)
