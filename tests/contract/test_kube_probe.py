"""The shared laws for every reading of the Kubernetes probe, over HTTP, and what only looks like a number."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gameday.spi import ProbeError, QueryError, StaleError, World
from gameday.testing import ProbeContract, Source, eventually
from gameday_drivers.kube.readings import quantity
from gameday_drivers.kube_probe import KubeProbe
from tests.fakes.kube import ApiError, FakeKube
from tests.fakes.kube.store import AUTOSCALERS, DEPLOYMENTS, METRICS, PODS

WORLD = World(run_id="r")
LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube(start_seconds=0.0) as kube:
        kube.deploy("web", 3)
        assert eventually(lambda: len(kube.ready("web")) == 3)
        kube.autoscale("web")
        kube.measure("web", "250m", "64Mi")
        kube.warn("BackOff")
        yield kube


@pytest.fixture
def where(kube: FakeKube, tmp_path: Path) -> dict[str, Any]:
    importlib.import_module("kubernetes")  # not within what is timed
    config = kube.write_kubeconfig(tmp_path / "kubeconfig")
    return {"kubeconfig": config, "context": "fake", "namespace": "shop", "timeout_": 4_000}


def not_ready(kube: FakeKube) -> None:
    name = kube.store.list(PODS, "shop")[0]["metadata"]["name"]
    kube.store.change(PODS, "shop", name, lambda pod: pod["status"].update(conditions=[]))


def restart(kube: FakeKube) -> None:
    name = kube.store.list(PODS, "shop")[0]["metadata"]["name"]
    kube.store.change(PODS, "shop", name, lambda pod: pod["status"]["containerStatuses"][0].update(restartCount=2))


def scale(kube: FakeKube, which: str) -> None:
    kube.store.change(AUTOSCALERS, "shop", "web", lambda found: found["status"].update({which: 4}))


def forget(kube: FakeKube) -> None:
    kube.store.change(AUTOSCALERS, "shop", "web", lambda found: found.update(status={}))


def drop_all(kube: FakeKube, res: Any) -> None:
    for item in kube.store.list(res, "shop"):
        kube.store.drop(res, "shop", item["metadata"]["name"])


def rubbish(kube: FakeKube) -> None:
    kube.faults.append(lambda _method, _path: ApiError(500, "InternalError", "rubbish"))


Step = Callable[[FakeKube], None]
READINGS: dict[str, tuple[dict[str, Any], float, Step, float, Step]] = {
    "ready": ({"deployment": "web"}, 3, not_ready, 2, lambda kube: drop_all(kube, DEPLOYMENTS)),
    "restarts": ({"selector": "app=web"}, 0, restart, 2, lambda kube: drop_all(kube, DEPLOYMENTS)),
    "cpu": ({"selector": "app=web"}, 1.5, lambda kube: kube.measure("web", "1", "1Gi"), 6, lambda kube: drop_all(kube, METRICS)),
    "memory": (
        {"deployment": "web"}, 6 * 64 * 2**20, lambda kube: kube.measure("web", "1", "1Gi"), 6 * 2**30,
        lambda kube: kube.measure("web", "1", "1 GB"),
    ),
    "warnings": ({"reason": "BackOff"}, 1, lambda kube: kube.warn("BackOff"), 2, rubbish),
    "hpa-current": ({"autoscaler": "web"}, 3, lambda kube: scale(kube, "currentReplicas"), 4, forget),
    "hpa-desired": ({"autoscaler": "web"}, 3, lambda kube: scale(kube, "desiredReplicas"), 4, forget),
}  # fmt: skip


@pytest.mark.parametrize("value", ["ready", "memory", "warnings", "hpa-desired"])
class TestKubeProbe(ProbeContract):
    @pytest.fixture
    def source(self, value: str, kube: FakeKube, where: dict[str, Any]) -> Source:
        given, before, change, after, spoil = READINGS[value]
        filled: dict[str, Any] = {**where, **given}
        expected = {False: before, True: after}
        changed: list[bool] = [False]

        def change_it() -> None:
            change(kube)
            changed[0] = True

        return Source(
            probe=KubeProbe(value=value, **filled),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            expected=lambda: expected[changed[0]],
            change=change_it,
            silence=lambda: kube.faults.append(lambda _method, _path: 10.0),
            spoil=lambda: spoil(kube),
        )


def probe(where: dict[str, Any], value: str, **given: Any) -> KubeProbe:
    filled: dict[str, Any] = {**where, "value": value, **given}
    return KubeProbe(**filled)


@pytest.mark.parametrize("value", READINGS)
def test_each_reads_its_number_and_the_next_one(value: str, where: dict[str, Any], kube: FakeKube) -> None:
    given, before, change, after, spoil = READINGS[value]
    one = probe(where, value, **given)
    assert one.read(WORLD) == before
    change(kube)
    assert one.read(WORLD) == after
    spoil(kube)
    assert eventually(lambda: raises(one)), "its source is gone"


def raises(one: KubeProbe) -> bool:
    try:
        one.read(WORLD)
    except ProbeError:
        return True
    return False


def test_nothing_there_is_zero_only_where_that_is_said(where: dict[str, Any], kube: FakeKube) -> None:
    nobody = probe(where, "ready", selector="app=nobody")
    with pytest.raises(ProbeError, match="no pod matches app=nobody; where that means 0, write absent: zero"):
        nobody.read(WORLD)
    assert replace(nobody, absent="zero").read(WORLD) == 0
    kube.store.change(DEPLOYMENTS, "shop", "web", lambda found: found["spec"].update(replicas=0))
    assert eventually(lambda: not kube.ready("web"))
    assert probe(where, "ready", deployment="web").read(WORLD) == 0
    for value in ("restarts", "cpu", "memory"):
        with pytest.raises(ProbeError):
            probe(where, value, selector="app=nobody").read(WORLD)


def test_a_metrics_server_that_is_missing_lags_or_is_old_has_no_number(where: dict[str, Any], kube: FakeKube) -> None:
    cpu = probe(where, "cpu", selector="app=web")
    first = kube.store.list(METRICS, "shop")[0]["metadata"]["name"]
    kube.store.drop(METRICS, "shop", first)
    with pytest.raises(ProbeError, match=f"has nothing yet of {first}"):
        cpu.read(WORLD)
    kube.measure("web", "1", "1Gi", at=LONG_AGO)
    with pytest.raises(StaleError, match="older than 120 s"):
        cpu.read(WORLD)
    del kube.store.kinds[METRICS]
    with pytest.raises(ProbeError, match="has no metrics server that answers"):
        cpu.read(WORLD)


def test_warnings_are_those_of_the_window_and_of_the_reason(where: dict[str, Any], kube: FakeKube) -> None:
    kube.warn("FailedMount")
    kube.warn("BackOff", at=LONG_AGO)
    assert probe(where, "warnings").read(WORLD) == 2
    assert probe(where, "warnings", reason="BackOff").read(WORLD) == 1
    assert probe(where, "warnings", reason="Unhealthy").read(WORLD) == 0


def test_an_autoscaler_that_cannot_tell_wants_nothing(where: dict[str, Any], kube: FakeKube) -> None:
    blind = [{"type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric"}]
    kube.store.change(AUTOSCALERS, "shop", "web", lambda found: found["status"].update(conditions=blind))
    with pytest.raises(StaleError, match="does not know what it wants: FailedGetResourceMetric"):
        probe(where, "hpa-desired", autoscaler="web").read(WORLD)
    assert probe(where, "hpa-current", autoscaler="web").read(WORLD) == 3
    with pytest.raises(QueryError, match="there is no horizontalpodautoscaler shop/nope"):
        probe(where, "hpa-current", autoscaler="nope").read(WORLD)


def test_what_may_not_be_read_is_a_wrong_question(where: dict[str, Any], kube: FakeKube) -> None:
    kube.denied.add(("list", "pods"))
    with pytest.raises(QueryError, match="answers 403"):
        probe(where, "ready", selector="app=web").read(WORLD)
    with pytest.raises(QueryError, match="cannot be used"):
        probe(where, "ready", selector="app=web", context="other").read(WORLD)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"value": "ready"}, "^value ready is about pods; give exactly one"),
        ({"value": "cpu", "selector": "a=b", "deployment": "c"}, "^value cpu is about pods; give exactly one"),
        ({"value": "warnings", "selector": "a=b"}, "^value warnings is not about pods"),
        ({"value": "hpa-current"}, "^autoscaler is for"),
        ({"value": "restarts", "selector": "a=b", "autoscaler": "x"}, "^autoscaler is for"),
        ({"value": "ready", "selector": "a=b", "reason": "BackOff"}, "^reason is one word"),
        ({"value": "warnings", "reason": "a,b"}, "^reason is one word"),
        ({"value": "ready", "deployment": "../x"}, "^deployment is not a name"),
    ],
)
def test_what_the_probe_refuses_begins_with_the_parameter(given: dict[str, Any], words: str) -> None:
    where: dict[str, Any] = {"kubeconfig": "k", "context": "c", "namespace": "shop"}
    with pytest.raises(ValueError, match=words):
        KubeProbe(**where, **given)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("250m", 0.25),
        ("1", 1),
        ("12345n", 1.2345e-05),
        ("7u", 7e-6),
        ("1.5Gi", 1.5 * 2**30),
        ("2k", 2000),
        ("1e3", 1000),
    ],
)
def test_quantities(text: str, number: float) -> None:
    assert quantity(text) == pytest.approx(number)  # pyright: ignore[reportUnknownMemberType] - pytest's own


@pytest.mark.parametrize("text", ["", "m", "1 Gi", "1gi", "-1", "0x10", "1Mim"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(QueryError, match="not a quantity"):
        quantity(text)
