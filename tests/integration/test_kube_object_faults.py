"""What goes wrong at an API server, for every driver that changes or makes an object: never a false deed, never a lost state."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from gameday.model import Plan
from gameday.spi import Driver, DriverError, NoTargetError, Secrets, World
from gameday.testing import eventually
from gameday_drivers.kube.api import REQUEST_SECONDS
from gameday_drivers.kube.bad_image import BadImage
from gameday_drivers.kube.configmap_drift import DriftConfigMap
from gameday_drivers.kube.custom_resource import CustomResource
from gameday_drivers.kube.dns_deny import DenyDns
from gameday_drivers.kube.hpa_freeze import FreezeAutoscaler
from gameday_drivers.kube.marks import KINDS, take_back
from gameday_drivers.kube.network_deny import DenyNetwork
from gameday_drivers.kube.rollout_restart import RestartRollout
from gameday_drivers.kube.secret_drift import FENCE, DriftSecret
from gameday_drivers.kube.target import RUN
from tests.fakes.kube import ApiError, FakeKube
from tests.fakes.kube.chaos import NETWORK_CHAOS
from tests.fakes.kube.enforcing import may_connect, needing
from tests.fakes.kube.store import (
    AUTOSCALERS,
    CONFIGMAPS,
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    POLICIES,
    SECRETS,
    Resource,
    merged,
)

WORLD, OTHER = World(run_id="r-1", fault="f"), World(run_id="r-2", fault="f")
BOOM, SLOW_DOWN = ApiError(500, "InternalError", "boom"), ApiError(429, "TooManyRequests", "slow down")
WRITES = ("POST", "PUT", "PATCH", "DELETE")
PASSWORD = "correct horse battery"
Where = dict[str, Any]
DELAY: dict[str, Any] = {
    "apiVersion": "chaos-mesh.org/v1alpha1",
    "kind": "NetworkChaos",
    "spec": {
        "action": "delay",
        "mode": "all",
        "selector": {"labelSelectors": {"app": "web"}, "podPhaseSelectors": ("Running",)},
        "delay": {"latency": "200ms"},
        "duration": "60s",
    },
}


def b64(text: str) -> str:
    return b64encode(text.encode()).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One driver, and what in the cluster it is about."""

    make: Callable[[Where], Driver]
    nothing: Callable[[Where], Driver]
    """The same, aimed at what is not there."""
    right: tuple[str, str]
    """A verb and a resource that it needs to act."""
    object: tuple[Resource, str] | None
    """What it changes; None for what it makes anew."""


CASES = {
    "bad-image": Case(
        make=lambda where: BadImage(**where, deployment="web"),
        nothing=lambda where: BadImage(**where, deployment="nope"),
        right=("patch", "deployments"),
        object=(DEPLOYMENTS, "web"),
    ),
    "configmap-drift": Case(
        make=lambda where: DriftConfigMap(
            **where, configmap="settings", set={"LEVEL": "x", "new": "y"}, remove=("a.b",)
        ),
        nothing=lambda where: DriftConfigMap(**where, configmap="settings", remove=("nope",)),
        right=("patch", "configmaps"),
        object=(CONFIGMAPS, "settings"),
    ),
    "secret-drift": Case(
        make=lambda where: DriftSecret(**where, secret="login", set={"PASSWORD": "x", "new": "y"}, remove=("user",)),
        nothing=lambda where: DriftSecret(**where, secret="login", remove=("nope",)),
        right=("create", "secrets"),
        object=(SECRETS, "login"),
    ),
    "hpa-freeze": Case(
        make=lambda where: FreezeAutoscaler(**where, autoscaler="web"),
        nothing=lambda where: FreezeAutoscaler(**where, autoscaler="nope"),
        right=("patch", "horizontalpodautoscalers"),
        object=(AUTOSCALERS, "web"),
    ),
    "hpa-freeze-by-limits": Case(
        make=lambda where: FreezeAutoscaler(**where, autoscaler="web", by="limits"),
        nothing=lambda where: FreezeAutoscaler(**where, autoscaler="nope", by="limits"),
        right=("get", "horizontalpodautoscalers"),
        object=(AUTOSCALERS, "web"),
    ),
    "dns-deny": Case(
        make=lambda where: DenyDns(**where, selector="app=web"),
        nothing=lambda where: DenyDns(**where, selector="app=nope"),
        right=("create", "networkpolicies"),
        object=None,
    ),
    "network-deny-to": Case(
        make=lambda where: DenyNetwork(**where, selector="app=web", direction="egress", to="web"),
        nothing=lambda where: DenyNetwork(**where, selector="app=web", direction="egress", to="nope"),
        right=("get", "services"),
        object=None,
    ),
    "custom-resource": Case(
        make=lambda where: CustomResource(**where, resource=DELAY, proven_by={"condition": "AllInjected"}),
        nothing=lambda where: CustomResource(**where, resource={**DELAY, "kind": "NoChaos"}),
        right=("create", "networkchaos"),
        object=None,
    ),
}
EDITING = {name: case for name, case in CASES.items() if case.object}


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube(start_seconds=0.0) as kube:
        kube.deploy("web", 3)
        assert eventually(lambda: kube.store.get(DEPLOYMENTS, "shop", "web")["status"].get("availableReplicas") == 3)
        kube.autoscale("web")
        kube.serve("web")
        kube.chaos.install(kube.store)
        settings = {"LEVEL": "info", "a.b": "c", "kept": "k"}
        kube.store.create(CONFIGMAPS, "shop", {"metadata": {"name": "settings"}, "data": settings})
        login = {"PASSWORD": b64(PASSWORD), "user": b64("shop"), "kept": b64("k")}
        kube.store.create(SECRETS, "shop", {"metadata": {"name": "login"}, "data": login})
        yield kube


@pytest.fixture
def where(kube: FakeKube, tmp_path: Path) -> Where:
    return {"kubeconfig": kube.write_kubeconfig(tmp_path / "kubeconfig"), "context": "fake", "namespace": "shop"}


def state(kube: FakeKube) -> dict[str, Any]:
    """Everything of the namespace that a fault could change, without what changes by itself."""
    kept: dict[str, Any] = {}
    for (res, ns, name), found in list(kube.store.objects.items()):
        if ns == "shop" and res[2] not in ("pods", "replicasets"):
            meta: dict[str, Any] = {key: found["metadata"].get(key) or {} for key in ("annotations", "labels", "uid")}
            kept[f"{res[2]}/{name}"] = {**{k: v for k, v in found.items() if k in ("spec", "data")}, **meta}
    return dict(json.loads(json.dumps(kept)))


def writes(kube: FakeKube) -> list[str]:
    return [
        f"{method} {path}"
        for method, path, _ in kube.requests
        if method in WRITES and not ("reviews" in path or path.endswith("?dryRun=All"))
    ]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
class TestEach:
    def test_there_and_back(self, case: Case, kube: FakeKube, where: Where) -> None:
        before, driver = state(kube), case.make(where)
        plan = driver.plan(WORLD)
        assert writes(kube) == []
        driver.inject(plan, WORLD)
        assert state(kube) != before
        driver.revert(plan, WORLD)
        driver.revert(plan, WORLD)
        assert state(kube) == before
        assert not driver.active(plan, WORLD)

    def test_what_is_not_allowed_is_asked_before_anything_is_touched(
        self, case: Case, kube: FakeKube, where: Where
    ) -> None:
        kube.denied.add(case.right)
        with pytest.raises(DriverError, match=f"may not {case.right[0]} {case.right[1]}") as raised:
            case.make(where).plan(WORLD)
        assert f"resources: [{case.right[1]}], verbs: [{case.right[0]}]" in raised.value.hint
        assert writes(kube) == []

    def test_nothing_there_is_an_error(self, case: Case, kube: FakeKube, where: Where) -> None:
        with pytest.raises(NoTargetError):
            case.nothing(where).plan(WORLD)
        with pytest.raises(NoTargetError):
            case.make({**where, "namespace": "nowhere"}).plan(WORLD)
        assert writes(kube) == []

    def test_every_write_may_fail_and_all_is_as_before(self, case: Case, kube: FakeKube, where: Where) -> None:
        """The first write of inject answers 500, then the second one, and so on, until it gets through."""
        driver, before = case.make(where), state(kube)
        plan = driver.plan(WORLD)
        for fails in range(5):
            if _inject_with_failure(kube, driver, plan, fails):
                assert fails > 0, "it wrote nothing"
                return
            driver.revert(plan, WORLD)
            assert not driver.active(plan, WORLD)
            assert state(kube) == before
        pytest.fail("it never got through")

    def test_a_revert_that_is_refused_is_not_done_and_can_be_repeated(
        self, case: Case, kube: FakeKube, where: Where
    ) -> None:
        driver, before = case.make(where), state(kube)
        plan = driver.plan(WORLD)
        driver.inject(plan, WORLD)
        kube.faults.append(lambda method, path: SLOW_DOWN if method in WRITES and "reviews" not in path else None)
        with pytest.raises(DriverError, match="answers 429"):
            driver.revert(plan, WORLD)
        assert driver.active(plan, WORLD)
        kube.faults.clear()
        driver.revert(plan, WORLD)
        assert state(kube) == before

    def test_a_namespace_that_vanishes_needs_no_undo(self, case: Case, kube: FakeKube, where: Where) -> None:
        driver = case.make(where)
        plan = driver.plan(WORLD)
        driver.inject(plan, WORLD)
        kube.store.drop(NAMESPACES, None, "shop")
        driver.revert(plan, WORLD)
        assert not driver.active(plan, WORLD)

    def test_another_cluster_is_refused(self, case: Case, where: Where) -> None:
        driver = case.make(where)
        plan = driver.plan(WORLD)
        with FakeKube() as other:
            other.write_kubeconfig(Path(where["kubeconfig"]))
            for call in (driver.inject, driver.active, driver.revert):
                with pytest.raises(DriverError, match="it was planned for"):
                    call(plan, WORLD)
            assert other.requests == []


def _inject_with_failure(kube: FakeKube, driver: Driver, plan: Plan, fails: int) -> bool:
    """Let one write of inject fail, and say whether there was none to fail."""
    seen: list[str] = []

    def fault(method: str, path: str) -> ApiError | None:
        if method not in WRITES:
            return None
        seen.append(path)
        return BOOM if len(seen) == fails + 1 else None

    kube.faults.append(fault)
    try:
        driver.inject(plan, WORLD)
    except DriverError as error:
        assert "answers 500" in str(error)  # noqa: PT017 - the loop goes on
        return False
    finally:
        kube.faults.clear()
    return True


@pytest.mark.parametrize("case", EDITING.values(), ids=EDITING)
class TestEachThatChanges:
    def test_two_runs_do_not_undo_each_other(self, case: Case, kube: FakeKube, where: Where) -> None:
        driver = case.make(where)
        plan, elsewhere = driver.plan(WORLD), driver.plan(OTHER)
        driver.inject(plan, WORLD)
        on = state(kube)
        with pytest.raises(DriverError, match="changed by the run r-1 already"):
            driver.plan(OTHER)
        with pytest.raises(DriverError, match="changed by the run r-1 already"):
            driver.inject(elsewhere, OTHER)
        driver.revert(elsewhere, OTHER)
        assert state(kube) == on
        assert driver.active(plan, WORLD)
        driver.revert(plan, WORLD)

    def test_a_new_one_of_its_name_is_not_touched(self, case: Case, kube: FakeKube, where: Where) -> None:
        assert case.object
        (res, name), driver = case.object, case.make(where)
        plan = driver.plan(WORLD)
        old = kube.store.get(res, "shop", name)
        kube.store.drop(res, "shop", name)
        kube.store.create(
            res, "shop", {key: old[key] for key in ("spec", "data") if key in old} | {"metadata": {"name": name}}
        )
        count = len(writes(kube))
        with pytest.raises(DriverError, match="gone, or another one has its name"):
            driver.inject(plan, WORLD)
        driver.revert(plan, WORLD)
        assert len(writes(kube)) == count

    def test_it_is_undone_from_its_own_annotations_too(self, case: Case, kube: FakeKube, where: Where) -> None:
        """Another machine has no plan."""
        assert case.object
        (res, name), driver, before = case.object, case.make(where), state(kube)
        plan = driver.plan(WORLD)
        driver.inject(plan, WORLD)
        found = kube.store.get(res, "shop", name)
        assert found["metadata"]["annotations"][RUN] == "r-1"
        secrets = kube.store.list(("", "v1", "secrets"), "shop")
        kept = {secret["metadata"]["name"]: secret.get("data", {}) for secret in secrets}
        kind = next(kind for kind in KINDS if kind.resource == res[2])
        kube.store.update(res, "shop", name, merged(found, take_back(found, kind, kept)))
        assert state(kube)[f"{res[2]}/{name}"] == before[f"{res[2]}/{name}"]
        driver.revert(plan, WORLD)
        assert state(kube) == before


def test_an_api_that_hangs_is_given_up_in_time(kube: FakeKube, where: Where) -> None:
    driver = BadImage(**where, deployment="web")
    plan = driver.plan(WORLD)
    kube.faults.append(lambda _method, _path: 30.0)
    start = time.monotonic()
    with pytest.raises(DriverError, match=r"no answer from the API server .*: nothing within"):
        driver.revert(plan, WORLD)
    assert time.monotonic() - start < REQUEST_SECONDS + 1.5, "asked once, and not again"


def test_an_image_that_somebody_has_put_right_meanwhile_stays(kube: FakeKube, where: Where) -> None:
    driver = BadImage(**where, deployment="web")
    plan = driver.plan(WORLD)
    driver.inject(plan, WORLD)

    def repair(found: dict[str, Any]) -> None:
        found["spec"]["template"]["spec"]["containers"][0]["image"] = "newer"

    kube.store.change(DEPLOYMENTS, "shop", "web", repair)
    assert not driver.active(plan, WORLD)
    driver.revert(plan, WORLD)
    found = kube.store.get(DEPLOYMENTS, "shop", "web")
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "newer"
    assert not found["metadata"]["annotations"]


def test_a_change_between_plan_and_deed_stops_it(kube: FakeKube, where: Where) -> None:
    driver = BadImage(**where, deployment="web")
    plan = driver.plan(WORLD)
    template = ("spec", "template", "spec")
    kube.store.change(DEPLOYMENTS, "shop", "web", lambda new: new[template[0]][template[1]][template[2]].update(
        containers=[{"name": "c", "image": "v2"}]))  # fmt: skip
    with pytest.raises(DriverError, match="was changed by somebody else since it was planned"):
        driver.inject(plan, WORLD)
    assert writes(kube) == []


def test_several_containers_need_a_name(kube: FakeKube, where: Where) -> None:
    def two(found: dict[str, Any]) -> None:
        found["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": "s"})

    kube.store.change(DEPLOYMENTS, "shop", "web", two)
    with pytest.raises(NoTargetError, match="several containers: name one; there are c, side"):
        BadImage(**where, deployment="web").plan(WORLD)
    with pytest.raises(NoTargetError, match="no container x; there are c, side"):
        BadImage(**where, deployment="web", container="x").plan(WORLD)
    driver = BadImage(**where, deployment="web", container="side")
    assert "(image of side: s to registry.invalid" in driver.plan(WORLD).targets[0]


def test_a_paused_or_rolling_deployment_is_refused(kube: FakeKube, where: Where) -> None:
    restart = RestartRollout(**where, deployment="web")
    bad = BadImage(**where, deployment="web")
    plan = bad.plan(WORLD)
    bad.inject(plan, WORLD)
    bad.revert(plan, WORLD)
    bad.inject(plan, WORLD)
    with pytest.raises(DriverError, match="changed by the run r-1 already"):
        restart.plan(WORLD)
    bad.revert(plan, WORLD)
    kube.store.change(DEPLOYMENTS, "shop", "web", lambda found: found["spec"].update(paused=True))
    for driver in (bad, restart):
        with pytest.raises(DriverError, match="is paused"):
            driver.plan(WORLD)


def test_a_restart_that_does_not_get_through_says_how_far_it_came(kube: FakeKube, where: Where) -> None:
    driver = RestartRollout(**where, deployment="web", within=1000)
    plan = driver.plan(WORLD)
    for node in ("node1", "node2"):
        kube.store.change(("", "v1", "nodes"), None, node, lambda found: found["spec"].update(unschedulable=True))
    with pytest.raises(DriverError, match=r"not rolled out within 1 s: [01] of 3 pods are new, and 3 of"):
        driver.inject(plan, WORLD)
    assert not driver.active(plan, WORLD)


def test_a_value_of_a_secret_is_nowhere_but_in_secrets(kube: FakeKube, where: Where, tmp_path: Path) -> None:
    before, wrong = kube.store.get(SECRETS, "shop", "login")["data"], "hunter2-hunter2"
    world = World(run_id="r-1", fault="f", secrets=Secrets(values={"wrong": wrong}))
    driver = DriftSecret(**where, secret="login", set={"PASSWORD": "${wrong}"}, remove=("user",))
    plan = driver.plan(world)
    driver.inject(plan, world)
    found = kube.store.get(SECRETS, "shop", "login")
    assert found["data"] == {"PASSWORD": b64(wrong), "kept": b64("k")}
    assert driver.active(plan, WORLD), "without the secrets of the run, too"
    said = json.dumps([plan.to_json(), found["metadata"]])
    for value in (wrong, b64(wrong), PASSWORD, b64(PASSWORD), before["user"]):
        assert value not in said
    assert "(PASSWORD changed, user removed)" in plan.targets[0]
    (kept,) = [item for item in kube.store.list(SECRETS, "shop") if item["metadata"]["name"] != "login"]
    assert kept["data"] == {key: before[key] for key in ("PASSWORD", "user")}
    assert kept["metadata"]["annotations"][RUN] == "r-1"
    driver.revert(plan, WORLD)
    assert [item["data"] for item in kube.store.list(SECRETS, "shop")] == [before]


def test_a_lost_backup_is_a_failed_undo(kube: FakeKube, where: Where) -> None:
    driver = DriftSecret(**where, secret="login", set={"PASSWORD": "x"})
    plan = driver.plan(WORLD)
    driver.inject(plan, WORLD)
    kube.store.drop(SECRETS, "shop", plan.undo["backup"])
    with pytest.raises(DriverError, match=f"the Secret {plan.undo['backup']} that has its PASSWORD is gone"):
        driver.revert(plan, WORLD)
    assert driver.active(plan, WORLD)


def test_a_change_that_is_on_its_way_when_its_sender_dies_never_lands(kube: FakeKube, where: Where) -> None:
    """The backup is made, the patch is sent, the sender is killed, the undo is done; only then does the server read the patch."""
    driver, before = DriftSecret(**where, secret="login", set={"PASSWORD": "x"}), state(kube)
    plan = driver.plan(WORLD)
    kube.faults.append(lambda method, _: BOOM if method == "PATCH" else None)
    with pytest.raises(DriverError, match="answers 500"):
        driver.inject(plan, WORLD)
    kube.faults.clear()
    late = next(body for method, _, body in kube.requests if method == "PATCH")
    driver.revert(plan, WORLD)
    assert state(kube) == before
    with pytest.raises(ApiError) as refused:
        kube.store.update(SECRETS, "shop", "login", merged(kube.store.get(SECRETS, "shop", "login"), late))
    assert refused.value.code == 409
    assert state(kube) == before


def test_an_undo_that_was_cut_off_at_its_fence_is_finished(kube: FakeKube, where: Where) -> None:
    driver, before = DriftSecret(**where, secret="login", set={"PASSWORD": "x"}), state(kube)
    plan = driver.plan(WORLD)
    kube.faults.append(lambda method, _: BOOM if method == "PATCH" else None)
    with pytest.raises(DriverError):
        driver.inject(plan, WORLD)
    kube.faults[:] = [lambda method, _: BOOM if method == "PATCH" and len(writes(kube)) > 3 else None]
    with pytest.raises(DriverError):
        driver.revert(plan, WORLD)
    assert FENCE in kube.store.get(SECRETS, "shop", "login")["metadata"]["annotations"]
    kube.faults.clear()
    driver.revert(plan, WORLD)
    assert state(kube) == before


@pytest.mark.parametrize(("res", "name"), [(CONFIGMAPS, "settings"), (SECRETS, "login")])
def test_a_key_that_somebody_has_changed_meanwhile_stays(
    kube: FakeKube, where: Where, res: Resource, name: str
) -> None:
    made: dict[Resource, Callable[[], Driver]] = {
        CONFIGMAPS: lambda: DriftConfigMap(**where, configmap=name, set={"LEVEL": "x"}, remove=("a.b",)),
        SECRETS: lambda: DriftSecret(**where, secret=name, set={"PASSWORD": "x"}, remove=("user",)),
    }
    driver, key, gone = made[res](), *{CONFIGMAPS: ("LEVEL", "a.b"), SECRETS: ("PASSWORD", "user")}[res]
    before = kube.store.get(res, "shop", name)["data"]
    plan = driver.plan(WORLD)
    driver.inject(plan, WORLD)
    kube.store.change(res, "shop", name, lambda found: found["data"].update({key: b64("newer"), "other": b64("o")}))
    with pytest.raises(DriverError, match=r"[12] of [23] (fields|keys) are as the fault made them"):
        driver.active(plan, WORLD)
    driver.revert(plan, WORLD)
    found = kube.store.get(res, "shop", name)
    assert found["data"] == {**before, key: b64("newer"), "other": b64("o")}
    assert gone in found["data"]
    assert not found["metadata"]["annotations"]


def test_what_nobody_may_change_is_said_when_planned(kube: FakeKube, where: Where) -> None:
    for res, name in ((CONFIGMAPS, "settings"), (SECRETS, "login")):
        kube.store.change(res, "shop", name, lambda found: found.update(immutable=True))
    drivers: tuple[Driver, ...] = (
        DriftConfigMap(**where, configmap="settings", remove=("LEVEL",)),
        DriftSecret(**where, secret="login", remove=("user",)),
    )
    for driver in drivers:
        with pytest.raises(DriverError, match="is immutable"):
            driver.plan(WORLD)


def test_a_config_map_takes_no_secret_and_no_binary_key(kube: FakeKube, where: Where) -> None:
    world = World(run_id="r", secrets=Secrets(values={"token": "t-0-k-e-n"}))
    for value in ("${token}", "Bearer t-0-k-e-n"):
        with pytest.raises(DriverError, match="set LEVEL is a secret, and a ConfigMap is no place for one"):
            DriftConfigMap(**where, configmap="settings", set={"LEVEL": value}).plan(world)
    kube.store.change(CONFIGMAPS, "shop", "settings", lambda found: found.update(binaryData={"logo": "AA=="}))
    with pytest.raises(DriverError, match="has logo as binary data"):
        DriftConfigMap(**where, configmap="settings", set={"logo": "x"}).plan(WORLD)
    with pytest.raises(NoTargetError, match="has these values already"):
        DriftConfigMap(**where, configmap="settings", set={"LEVEL": "info"}).plan(WORLD)


def test_a_frozen_autoscaler_keeps_its_other_policies(kube: FakeKube, where: Where) -> None:
    mine = {"scaleUp": {"selectPolicy": "Min", "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}}
    kube.store.change(AUTOSCALERS, "shop", "web", lambda found: found["spec"].update(behavior=mine))
    driver = FreezeAutoscaler(**where, autoscaler="web", direction="up")
    plan = driver.plan(WORLD)
    driver.inject(plan, WORLD)
    behaviour = kube.store.get(AUTOSCALERS, "shop", "web")["spec"]["behavior"]
    assert behaviour["scaleUp"] == {**mine["scaleUp"], "selectPolicy": "Disabled"}
    assert behaviour["scaleDown"]["selectPolicy"] == "Max"
    assert plan.targets[0].startswith("horizontalpodautoscaler shop/web (does not scale up) in fake")
    driver.revert(plan, WORLD)
    assert kube.store.get(AUTOSCALERS, "shop", "web")["spec"]["behavior"] == mine


def test_limits_that_hold_an_autoscaler_are_the_present_number(kube: FakeKube, where: Where) -> None:
    driver = FreezeAutoscaler(**where, autoscaler="web", by="limits")
    plan = driver.plan(WORLD)
    assert "(held at 3 replicas)" in plan.targets[0]
    driver.inject(plan, WORLD)
    spec = kube.store.get(AUTOSCALERS, "shop", "web")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 3)
    driver.revert(plan, WORLD)
    kube.store.change(AUTOSCALERS, "shop", "web", lambda found: found.update(status={}))
    with pytest.raises(DriverError, match="has not said yet how many replicas"):
        driver.plan(WORLD)


def test_only_dns_is_denied_and_the_app_that_needs_it_shows_it(kube: FakeKube, where: Where) -> None:
    with needing(kube, "web", port=53) as url:
        driver = DenyDns(**where, selector="app=web", check=url)
        plan = driver.plan(WORLD)
        driver.inject(plan, WORLD)
        assert driver.active(plan, WORLD)
        allowed = {port for port in (1, 52, 53, 54, 443, 65535) if may_connect(kube, "web", port, "10.96.0.10")}
        assert allowed == {1, 52, 54, 443, 65535}
        driver.revert(plan, WORLD)
        assert not driver.active(plan, WORLD)
    with pytest.raises(DriverError, match="is not reached now: nothing could be told from it"):
        driver.plan(WORLD)


def test_only_the_pods_of_a_service_are_denied(kube: FakeKube, where: Where) -> None:
    kube.deploy("db", 1)
    assert eventually(lambda: len(kube.ready("db")) == 1)
    kube.store.create(("", "v1", "services"), "shop", {"metadata": {"name": "db"}, "spec": {"selector": {"app": "db"}}})
    address = kube.store.list(PODS, "shop", labels="app=db")[0]["status"]["podIP"]
    other = kube.store.list(PODS, "shop", labels="app=web")[0]["status"]["podIP"]
    with needing(kube, "web", address=address) as url:
        driver = DenyNetwork(**where, selector="app=web", direction="egress", to="db", check=url)
        plan = driver.plan(WORLD)
        driver.inject(plan, WORLD)
        assert driver.active(plan, WORLD)
        assert [may_connect(kube, "web", 80, ip) for ip in (address, other, "203.0.113.9")] == [False, True, True]
        kube.deploy("db-more", 1)
        assert eventually(lambda: len(kube.ready("db-more")) == 1)
        late = kube.store.list(PODS, "shop", labels="app=db-more")[0]["metadata"]["name"]
        kube.store.change(PODS, "shop", late, lambda pod: pod["metadata"]["labels"].update(app="db"))
        assert not driver.active(plan, WORLD), "a pod of later has another address, which is not denied"
        driver.revert(plan, WORLD)


def test_policies_add_up_so_another_one_on_the_same_pods_is_refused(kube: FakeKube, where: Where) -> None:
    spec = {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"]}
    kube.store.create(POLICIES, "shop", {"metadata": {"name": "strict"}, "spec": spec})
    drivers: tuple[Driver, ...] = (
        DenyDns(**where, selector="app=web"),
        DenyNetwork(**where, selector="app=web", direction="egress", to="web"),
    )
    for driver in drivers:
        with pytest.raises(DriverError, match="strict is about the egress of these pods already, and policies add up"):
            driver.plan(WORLD)
    assert DenyNetwork(**where, selector="app=web", direction="egress").plan(WORLD).targets


def test_a_server_that_drops_ranges_of_ports_is_refused_before_anything_is_made(kube: FakeKube, where: Where) -> None:
    kube.store.ranges_of_ports = False
    with pytest.raises(DriverError, match="does not know ranges of ports"):
        DenyDns(**where, selector="app=web").plan(WORLD)
    assert writes(kube) == []


def test_a_service_without_pods_or_selector_is_no_target(kube: FakeKube, where: Where) -> None:
    for name, spec in (("empty", {"selector": {"app": "none"}}), ("outside", {"externalName": "example.org"})):
        kube.store.create(("", "v1", "services"), "shop", {"metadata": {"name": name}, "spec": spec})
    denied = DenyNetwork(**where, selector="app=web", direction="egress", to="empty")
    with pytest.raises(NoTargetError, match="no pod is behind the service shop/empty"):
        denied.plan(WORLD)
    with pytest.raises(DriverError, match="the service shop/outside selects no pods"):
        replace(denied, to="outside").plan(WORLD)


def chaos(where: Where, **more: Any) -> CustomResource:
    given: dict[str, Any] = {**where, "resource": DELAY, "proven_by": {"condition": "AllInjected"}, **more}
    return CustomResource(**given)


def test_a_custom_resource_is_made_with_marks_and_gone_when_reverted(kube: FakeKube, where: Where) -> None:
    driver = chaos(where, proven_by={"json": "$.status.experiment.desiredPhase", "equals": "Run"})
    plan = driver.plan(WORLD)
    name = plan.undo["name"]
    assert plan.targets == (
        f"networkchaos.chaos-mesh.org shop/{name} (made; ends by its spec.duration, too) in fake ({kube.url})",
    )
    driver.inject(plan, WORLD)
    (found,) = kube.store.list(NETWORK_CHAOS, "shop")
    assert found["metadata"]["name"] == name
    assert found["metadata"]["annotations"][RUN] == "r-1"
    assert found["spec"] == json.loads(json.dumps(DELAY["spec"]))
    driver.revert(plan, WORLD)
    assert not kube.store.list(NETWORK_CHAOS, "shop")


def test_a_stuck_finalizer_is_a_failed_undo_and_still_on(kube: FakeKube, where: Where) -> None:
    kube.chaos.finishes = False
    driver = chaos(where, gone_within=1000)
    plan = driver.plan(WORLD)
    driver.inject(plan, WORLD)
    with pytest.raises(DriverError, match=r"still there 1 s after it was deleted \(finalizers: chaos-mesh/records\)"):
        driver.revert(plan, WORLD)
    assert driver.active(plan, WORLD), "who knows what its controller has taken back"
    kube.chaos.finishes = True
    assert eventually(lambda: not kube.store.list(NETWORK_CHAOS, "shop"))
    driver.revert(plan, WORLD)
    assert not driver.active(plan, WORLD)


def test_what_its_controller_never_injects_is_no_fault(kube: FakeKube, where: Where) -> None:
    kube.chaos.injects = False
    driver = chaos(where, ready_within=1000)
    plan = driver.plan(WORLD)
    with pytest.raises(DriverError, match="not proven within 1 s"):
        driver.inject(plan, WORLD)
    assert eventually(lambda: "status" in kube.store.get(NETWORK_CHAOS, "shop", plan.undo["name"]))
    with pytest.raises(DriverError, match=r"not proven within 1 s \(AllInjected False, AllRecovered True\)"):
        driver.inject(plan, WORLD)
    with pytest.raises(DriverError, match=r"is there, and not proven yet \(AllInjected False"):
        driver.active(plan, WORLD)
    driver.revert(plan, WORLD)
    assert not kube.store.list(NETWORK_CHAOS, "shop")


def test_one_that_ends_by_itself_is_not_in_force_any_more(kube: FakeKube, where: Where) -> None:
    driver = chaos(where)
    plan = driver.plan(WORLD)
    driver.inject(plan, WORLD)
    ended = [{"type": "AllInjected", "status": "False"}, {"type": "AllRecovered", "status": "True"}]
    kube.store.change(NETWORK_CHAOS, "shop", plan.undo["name"], lambda new: new["status"].update(conditions=ended))
    made = {"creationTimestamp": "2026-01-01T00:00:00Z"}
    kube.store.change(NETWORK_CHAOS, "shop", plan.undo["name"], lambda new: new["metadata"].update(made))
    assert not driver.active(plan, WORLD)
    driver.revert(plan, WORLD)


def test_a_kind_for_the_whole_cluster_is_refused(where: Where) -> None:
    wide = {"apiVersion": "example.org/v1", "kind": "Wide", "spec": {"duration": "5s"}}
    with pytest.raises(DriverError, match=r"Wide of example.org/v1 is for the whole cluster"):
        chaos(where, resource=wide).plan(WORLD)


def test_without_an_expiry_the_plan_says_so(where: Where) -> None:
    delay = {"route": [{"destination": {"host": "web"}}], "fault": {"delay": {"fixedDelay": "2s"}}}
    istio = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "spec": {"hosts": ["web"], "http": [delay]},
    }
    driver = chaos(where, resource=istio, expires_by="none", proven_by={})
    assert "(made; nothing but the undo ends it)" in driver.plan(WORLD).targets[0]
    assert not driver.provable
