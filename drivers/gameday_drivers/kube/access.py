"""Whether we may: asked of the API server before anything is touched, and what is missing printed as RBAC rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gameday.spi import DriverError
from gameday_drivers.kube.api import Api

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Need:
    """One verb on one resource."""

    verb: str
    resource: str
    """Plural."""
    group: str = ""
    subresource: str = ""

    @property
    def what(self) -> str:
        """The resource as RBAC names it."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def require(api: Api, needs: Sequence[Need], *, namespace: str = "") -> None:
    """Raise DriverError unless all are allowed, in the namespace or, without one, in the whole cluster.

    A SelfSubjectAccessReview answers exactly what the request itself would get; it changes nothing.
    """
    missing = sorted(need for need in needs if not _allowed(api, need, namespace))
    if missing:
        where = f"in the namespace {namespace}" if namespace else "in the cluster"
        listed = ", ".join(f"{need.verb} {need.what}" for need in missing)
        raise DriverError(
            f"the context {api.cluster.context} may not {listed} {where}",
            hint=f"bind its user to this:\n{rules(missing, namespace)}",
        )


def _allowed(api: Api, need: Need, namespace: str) -> bool:
    asked = {"verb": need.verb, "resource": need.resource, "group": need.group}
    asked |= {"subresource": need.subresource} if need.subresource else {}
    spec = {"resourceAttributes": {**asked, "namespace": namespace} if namespace else asked}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
    return api.create(_REVIEWS, body).get("status", {}).get("allowed") is True


def rules(needs: Sequence[Need], namespace: str) -> str:
    """Write the Role (without a namespace: the ClusterRole) that allows them, as YAML."""
    lines = ["apiVersion: rbac.authorization.k8s.io/v1", f"kind: {'Role' if namespace else 'ClusterRole'}"]
    lines += ["metadata:", "  name: gameday"]
    lines += [f"  namespace: {namespace}"] if namespace else []
    lines += ["rules:"]
    for group, resource in sorted({(need.group, need.what) for need in needs}):
        verbs = ", ".join(sorted(need.verb for need in needs if (need.group, need.what) == (group, resource)))
        lines.append(f'  - {{apiGroups: ["{group}"], resources: [{resource}], verbs: [{verbs}]}}')
    return "\n".join(lines) + "\n"
