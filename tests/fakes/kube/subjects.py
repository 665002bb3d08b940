"""The table of the family: every Kubernetes driver, and each of its variants that goes another way."""

from __future__ import annotations

from gameday_drivers.kube.bad_image import NOWHERE, BadImage
from gameday_drivers.kube.configmap_drift import DriftConfigMap
from gameday_drivers.kube.container_kill import KillContainer
from gameday_drivers.kube.custom_resource import CustomResource
from gameday_drivers.kube.deployment_scale import ScaleDeployment
from gameday_drivers.kube.dns_deny import DenyDns
from gameday_drivers.kube.hpa_freeze import FreezeAutoscaler
from gameday_drivers.kube.node_cordon import CordonNodes
from gameday_drivers.kube.node_drain import DrainNodes
from gameday_drivers.kube.pod_evict import EvictPods
from gameday_drivers.kube.pod_kill import KillPods
from gameday_drivers.kube.rollout_restart import RestartRollout
from gameday_drivers.kube.secret_drift import DriftSecret
from gameday_drivers.kube.stress import StressNode
from tests.fakes.kube import family
from tests.fakes.kube.family import DELAY, Subject, denies, on_nodes, wide
from tests.fakes.kube.store import AUTOSCALERS, CONFIGMAPS, DEPLOYMENTS, SECRETS
from tests.fakes.kube.world import b64

DEEDS = {
    "pod-kill": Subject(
        make=lambda where: KillPods(**where, selector="app=web", count=2, grace=0),
        nothing=lambda where: KillPods(**where, selector="app=nope"),
        right=("delete", "pods"),
        on=family.dead,
    ),
    "pod-evict": Subject(
        make=lambda where: EvictPods(**where, selector="app=web", count=2, grace=0, within=2_000),
        nothing=lambda where: EvictPods(**where, selector="app=nope"),
        right=("create", "pods/eviction"),
        on=family.dead,
        patient=True,
    ),
    "container-kill": Subject(
        make=lambda where: KillContainer(**where, selector="app=web", container="c", count=2, within=2_000),
        nothing=lambda where: KillContainer(**where, selector="app=nope", container="c"),
        right=("get", "pods/exec"),
        on=family.restarted,
    ),
    "rollout-restart": Subject(
        make=lambda where: RestartRollout(**where, deployment="web", within=5_000),
        nothing=lambda where: RestartRollout(**where, deployment="nope"),
        right=("patch", "deployments"),
        on=family.replaced,
    ),
}
"""What cannot be undone."""
NODES_CHANGED = {
    "node-cordon": Subject(
        make=lambda where: CordonNodes(**wide(where), nodes=("node1", "node2")),
        nothing=lambda where: CordonNodes(**wide(where), nodes=("node9",)),
        right=("patch", "nodes"),
        on=family.cordoned,
    ),
    "node-drain": Subject(
        make=lambda where: DrainNodes(**on_nodes(where), nodes=("node1",)),
        nothing=lambda where: DrainNodes(**on_nodes(where), nodes=("node9",)),
        right=("create", "pods/eviction"),
        on=lambda kube, plan: family.cordoned(kube, plan) and family.dead(kube, plan),
        patient=True,
    ),
}
FIELDS_CHANGED = {
    "deployment-scale": Subject(
        make=lambda where: ScaleDeployment(**where, deployment="web", replicas=0),
        nothing=lambda where: ScaleDeployment(**where, deployment="nope"),
        right=("patch", "deployments"),
        on=lambda kube, _: family.REPLICAS(kube) == 0,
        object=(DEPLOYMENTS, "web"),
    ),
    "bad-image": Subject(
        make=lambda where: BadImage(**where, deployment="web"),
        nothing=lambda where: BadImage(**where, deployment="nope"),
        right=("patch", "deployments"),
        on=lambda kube, _: family.CONTAINERS(kube) == [{"name": "c", "image": NOWHERE}],
        object=(DEPLOYMENTS, "web"),
    ),
    "configmap-drift": Subject(
        make=lambda where: DriftConfigMap(
            **where, configmap="settings", set={"LEVEL": "x", "new": "y"}, remove=("a.b",)
        ),
        nothing=lambda where: DriftConfigMap(**where, configmap="settings", remove=("nope",)),
        right=("patch", "configmaps"),
        on=lambda kube, _: family.SETTINGS(kube) == {"LEVEL": "x", "new": "y", "kept": "k"},
        object=(CONFIGMAPS, "settings"),
    ),
    "secret-drift": Subject(
        make=lambda where: DriftSecret(**where, secret="login", set={"PASSWORD": "x", "new": "y"}, remove=("user",)),
        nothing=lambda where: DriftSecret(**where, secret="login", remove=("nope",)),
        right=("create", "secrets"),
        on=lambda kube, _: family.LOGIN(kube) == {"PASSWORD": b64("x"), "new": b64("y"), "kept": b64("k")},
        object=(SECRETS, "login"),
    ),
    "hpa-freeze": Subject(
        make=lambda where: FreezeAutoscaler(**where, autoscaler="web"),
        nothing=lambda where: FreezeAutoscaler(**where, autoscaler="nope"),
        right=("patch", "horizontalpodautoscalers"),
        on=lambda kube, _: family.SCALE_UP(kube) == "Disabled",
        object=(AUTOSCALERS, "web"),
    ),
    "hpa-freeze by limits": Subject(
        make=lambda where: FreezeAutoscaler(**where, autoscaler="web", by="limits"),
        nothing=lambda where: FreezeAutoscaler(**where, autoscaler="nope", by="limits"),
        right=("get", "horizontalpodautoscalers"),
        on=lambda kube, _: (family.LIMITS(kube) or {}).items() >= {"minReplicas": 3, "maxReplicas": 3}.items(),
        object=(AUTOSCALERS, "web"),
    ),
}
OBJECTS_MADE = {
    "network-deny ingress": denies(),
    "network-deny egress": denies(direction="egress"),
    "network-deny both": denies(direction="both"),
    "network-deny to": denies(("get", "services"), direction="egress", to="web"),
    "dns-deny": Subject(
        make=lambda where: DenyDns(**where, selector="app=web"),
        nothing=lambda where: DenyDns(**where, selector="app=nope"),
        right=("create", "networkpolicies"),
        on=family.policy,
    ),
    "custom-resource": Subject(
        make=lambda where: CustomResource(**where, resource=DELAY, proven_by={"condition": "AllInjected"}),
        nothing=lambda where: CustomResource(**where, resource={**DELAY, "kind": "NoChaos"}),
        right=("create", "networkchaos"),
        on=family.injected,
    ),
    "stress": Subject(
        make=lambda where: StressNode(**where, selector="app=web", cpu=1, count=3, within=3_000),
        nothing=lambda where: StressNode(**where, selector="app=nope", cpu=1),
        right=("create", "pods"),
        on=family.stressed,
    ),
}
UNDOABLE = {**NODES_CHANGED, **FIELDS_CHANGED, **OBJECTS_MADE}
SUBJECTS = {**DEEDS, **UNDOABLE}
