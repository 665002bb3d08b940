"""Every shipped experiment on Kubernetes, by the command line of its own comment, ends there as that comment says.

Two namespaces run theirs at the same time: in one stands an application that is sound, in the other one that is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gameday.testing import eventually
from tests.cluster.pages import PORT, make_pages
from tests.cluster.real import WAIT_SECONDS, Reach, Shop
from tests.cluster.shipped import words_of
from tests.fakes.busy import unmeasured, until_measured
from tests.harness import Lab, Ran

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(400, func_only=True)]
PASS, FAIL = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """A namespace with the application ``web``, pages beside it, and the payments that it needs."""

    shop: Shop
    url: str
    page: str

    def is_whole(self) -> bool:
        """Whether everything is as it was made."""
        return all(
            len(self.shop.ready(name)) == number == len(self.shop.pods(name)) == self.shop.replicas(name)
            for name, number in (("web", 3), ("payments", 1))
        )

    def run(self, name: str, folder: Path, variables: Mapping[str, str]) -> Ran:
        """Run one of the experiments, shorter than it is."""
        folder.mkdir(exist_ok=True)
        lab = Lab(folder)

        def attempt(_: int) -> Ran:
            assert eventually(self.is_whole, WAIT_SECONDS), self.shop.describe()
            return lab.run_verb(
                *words_of(name, self.shop, self.url, **variables), "--output", str(lab.runs), timeout=150
            )

        return until_measured(attempt, lambda ran: ran.code == 3 and lab.runs.exists() and unmeasured(ran.verdict))


def _nothing(town: Town) -> Any:
    """Change nothing, look at nothing."""
    del town


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run, what it is given, and what is looked at around it, before the next one begins."""

    name: str
    given: Callable[[Town], dict[str, str]] = field(default=lambda _: {})
    before: Callable[[Town], Any] = _nothing
    after: Callable[[Town], Any] = _nothing


def stuck(_: Town) -> dict[str, str]:
    """That an image cannot be pulled is known after some ten seconds."""
    return {"container": "app", "fault": "22s"}


def asks_its_page(town: Town) -> dict[str, str]:
    return {"asks_it": town.page}


def loads_its_page(town: Town) -> dict[str, str]:
    """Its users are those of the page that needs everything."""
    return {"asks_it": town.page, "base_url": town.page}


def needs_its_setting(town: Town) -> dict[str, str]:
    return {"base_url": town.page, "fault": "15s"}


def policies(town: Town) -> list[Any]:
    return list(
        town.shop.ask("GET", f"/apis/networking.k8s.io/v1/namespaces/{town.shop.namespace}/networkpolicies")["items"]
    )


def settings(town: Town) -> dict[str, str]:
    return dict(town.shop.core.read_namespaced_config_map("settings", town.shop.namespace).data)


def uids(town: Town) -> set[str]:
    return set(town.shop.ready())


def names(town: Town) -> set[str]:
    assert eventually(town.is_whole, WAIT_SECONDS)
    return set(town.shop.ready().values())


def allow_no_more_pods(town: Town) -> None:
    """Three are there, one of them goes: then no other may come."""
    body = {"metadata": {"name": "full"}, "spec": {"hard": {"pods": "3"}}}
    town.shop.core.create_namespaced_resource_quota(town.shop.namespace, body)


def allow_more_pods(town: Town) -> None:
    town.shop.core.delete_namespaced_resource_quota("full", town.shop.namespace)


def autoscale(town: Town) -> None:
    town.shop.autoscale("web", 3, 4, cpu="500m")


SOUND = [
    Case(name="rollback-failure", given=stuck, before=uids, after=uids),
    Case(name="dependency-denied", given=asks_its_page, after=policies),
    Case(name="config-drift", after=settings),
    Case(name="pod-killed", after=names),
    Case(
        name="autoscale-lag",
        given=lambda _: {"calm": "10s", "rush": "2s", "fault": "10s"},
        before=autoscale,
        after=Town.is_whole,
    ),
]
FRAIL = [
    Case(name="rollback-failure", given=stuck),
    Case(name="dependency-denied", given=loads_its_page, after=policies),
    Case(name="config-drift", given=needs_its_setting, after=settings),
    Case(name="pod-killed", before=allow_no_more_pods, after=allow_more_pods),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a run came to, and what was seen before and after it."""

    ran: Ran
    before: Any
    after: Any


Futures = dict[tuple[str, str], "Future[Ended]"]


def _one(town: Town, case: Case, folder: Path) -> Ended:
    assert eventually(town.is_whole, WAIT_SECONDS), town.shop.describe()
    before = case.before(town)
    try:
        ran = town.run(case.name, folder, case.given(town))
    finally:
        after = case.after(town)
    return Ended(ran=ran, before=before, after=after)


@pytest.fixture(scope="module")
def ended(reach: Reach, namespaces: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Futures]:
    """Everything begins when the first test asks for it, one run after the other in each of the two namespaces."""
    futures: Futures = {}
    shops: list[Shop] = []
    lanes = [ThreadPoolExecutor(1) for _ in range(2)]
    try:
        recreated: dict[str, Any] = {"strategy": {"type": "Recreate"}}
        for kind, cases, spec, lane in (("sound", SOUND, None, lanes[0]), ("frail", FRAIL, recreated, lanes[1])):
            shop = Shop(reach)
            shop.open()
            namespaces.append(shop.namespace)
            shops.append(shop)
            shop.deploy("payments", 1, port=False)
            url = shop.deploy(beside=make_pages(shop, reach.image), spec=spec)
            page = shop.expose("page", app="web", target=PORT)
            town = Town(shop=shop, url=url, page=page)
            folder = tmp_path_factory.mktemp(kind)
            futures |= {(kind, case.name): lane.submit(_one, town, case, folder / case.name) for case in cases}
        yield futures
    finally:
        for lane in lanes:
            lane.shutdown(cancel_futures=True)
        for shop in shops:
            shop.close()


def passed(ended: Futures, name: str) -> Ended:
    """Return a run of the sound application: it passed, and its fault was on and is off."""
    done = ended["sound", name].result()
    assert done.ran.code == PASS, done.ran.out + done.ran.err
    (fault,) = done.ran.verdict["faults"]
    assert fault["proof"] == "proven"
    assert fault["undo"] in ("proven", "not-needed")
    return done


def failed(ended: Futures, name: str) -> Ended:
    """Return a run of the frail one: users lost more than the objective grants, and the fault is off."""
    done = ended["frail", name].result()
    assert done.ran.code == FAIL, done.ran.out + done.ran.err
    (fault,) = done.ran.verdict["faults"]
    assert fault["proof"] == "proven"
    assert fault["undo"] in ("proven", "not-needed")
    assert done.ran.verdict["findings"]
    return done


def test_a_stuck_rollout_is_not_noticed(ended: Futures) -> None:
    done = passed(ended, "rollback-failure")
    assert done.before == done.after, "the same pods"


def test_a_stuck_rollout_takes_down_what_is_recreated(ended: Futures) -> None:
    assert failed(ended, "rollback-failure").ran.verdict["reasons"] == ["broken"]


def test_unreachable_payments_are_not_missed_by_who_goes_on(ended: Futures) -> None:
    assert passed(ended, "dependency-denied").after == []


def test_unreachable_payments_are_an_outage_for_who_waits_for_them(ended: Futures) -> None:
    assert failed(ended, "dependency-denied").after == []


def test_a_lost_setting_is_not_missed_by_who_keeps_the_last(ended: Futures) -> None:
    assert passed(ended, "config-drift").after == {"LEVEL": "info", "COLOUR": "blue"}


def test_a_lost_setting_is_an_outage_for_who_reads_it_each_time(ended: Futures) -> None:
    assert failed(ended, "config-drift").after == {"LEVEL": "info", "COLOUR": "blue"}


def test_one_pod_of_three_is_not_missed(ended: Futures) -> None:
    done = passed(ended, "pod-killed")
    (killed,) = done.ran.verdict["faults"][0]["targets"]
    assert len(done.after) == 3
    assert not [name for name in done.after if name in killed]


def test_a_pod_that_is_not_replaced_is_a_failure(ended: Futures) -> None:
    """Users lose nothing with two; what was promised is that there are three again."""
    results = {found["name"]: found["verdict"] for found in failed(ended, "pod-killed").ran.verdict["objectives"]}
    assert results["replaced"] == "fail"
    assert results["available"] != "fail"


def test_a_rush_without_new_pods_is_survived(ended: Futures) -> None:
    done = passed(ended, "autoscale-lag")
    assert done.after, "nothing was scaled"
