"""ConfigMaps and Secrets that drift: what somebody else has changed stays, and what nobody may change is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gameday.spi import Driver, DriverError, NoTargetError, Secrets, World
from gameday_drivers.kube.configmap_drift import DriftConfigMap
from gameday_drivers.kube.secret_drift import DriftSecret
from tests.fakes.kube import FakeKube
from tests.fakes.kube.family import Where
from tests.fakes.kube.store import CONFIGMAPS, SECRETS, Resource
from tests.fakes.kube.world import b64

WORLD = World(run_id="r-1", fault="f")


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
