"""The runner's side of an undo, with hosts that answer as they are told: order, overlap, leases, maxima, and hosts that fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from gameday.journal.reader import read_journal
from gameday.journal.writer import Journal
from gameday.model import Plan, Reason
from gameday.policy.found import find_policies
from gameday.policy.subject import Counted
from gameday.runner import faults
from gameday.runner.context import Context, FaultState, Stop
from gameday.runner.planning import beyond
from gameday.schema.experiment import FaultSpec
from gameday.schema.loader import load_experiment
from gameday.spi import DriverError, World
from gameday.timeline import Step, Timeline
from gameday.undo.guardian import Guardian
from gameday.undo.steps import ATTEMPTS, SETTLE_SECONDS
from tests.fakes.cli_files import write

Answer = Callable[[str, str], dict[str, Any]]


class FakeHosts:
    """Answers by fault and operation, and notes what it was asked for."""

    def __init__(self, answer: Answer) -> None:
        self.asked: list[tuple[str, str]] = []
        self._answer = answer

    async def ask(self, fault: str, op: str, plan: Mapping[str, Any] | None, seconds: float) -> dict[str, Any]:
        self.asked.append((fault, op))
        await anyio.sleep(0.001)
        return self._answer(fault, op)

    def of(self, op: str) -> list[str]:
        return [fault for fault, asked in self.asked if asked == op]


class FakeGuardian:
    """A watchdog that only listens."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def check_fresh(self) -> None:
        """It always is."""

    def tell_armed(self, fault: str, plan: Plan, max_seconds: float | None = None) -> None:
        self.told.append(f"armed {fault} {max_seconds:.0f}")

    def tell_reverted(self, fault: str) -> None:
        self.told.append(f"reverted {fault}")


def fault(name: str, **more: Any) -> FaultState:
    known: dict[str, Any] = {"armed": 1, "max_seconds": 30.0, **more}
    return FaultState(
        name=name,
        driver="fake",
        reversible=True,
        provable=True,
        inject_seconds=1.0,
        revert_seconds=1.0,
        plan=Plan(driver="fake", targets=(name,)),
        **known,
    )


@dataclass
class Stage:
    """One run with everything but faults and journal left out."""

    ctx: Context
    hosts: FakeHosts
    guardian: FakeGuardian
    path: Path

    def kinds(self) -> list[str]:
        return [event.kind for event in read_journal(self.path).events]

    def said(self, kind: str) -> list[dict[str, Any]]:
        return [dict(event.data) for event in read_journal(self.path).events if event.kind == kind]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    journals: list[Journal] = []

    def make(answer: Answer, *states: FaultState, at_ms: int = 0, until_ms: int = 0) -> Stage:
        path = tmp_path / "journal.ndjson"
        journal = Journal.create(path)
        journals.append(journal)
        hosts, guardian = FakeHosts(answer), FakeGuardian()
        steps = [
            step
            for state in states
            for step in (
                Step(at_ms=at_ms, kind="arm", fault=state.name),
                Step(at_ms=at_ms, kind="inject", fault=state.name),
                Step(at_ms=until_ms, kind="revert", fault=state.name),
            )
        ]
        ctx = Context(
            run_id="r",
            seed=1,
            experiment=cast("Any", None),
            timeline=Timeline(steps=tuple(steps), end_ms=until_ms),
            folder=cast("Any", None),
            journal=journal,
            guardian=cast("Guardian", guardian),
            hosts=hosts,
            world=World(run_id="r"),
            faults={state.name: state for state in states},
            stop=Stop(),
            base=tmp_path,
        )
        return Stage(ctx=ctx, hosts=hosts, guardian=guardian, path=path)

    yield make
    for journal in journals:
        journal.close()


def gone(_fault: str, op: str) -> dict[str, Any]:
    return {"active": False} if op == "active" else {"ok": True}


@pytest.mark.anyio
async def test_open_faults_are_reverted_newest_first_and_their_proofs_overlap(stage: Callable[..., Stage]) -> None:
    on = stage(gone, *(fault(name, armed=place) for place, name in enumerate("abcde", start=1)))

    began = anyio.current_time()
    await faults.revert_open(on.ctx)
    assert anyio.current_time() - began < 3 * SETTLE_SECONDS
    assert on.hosts.of("revert") == list("edcba")
    assert on.hosts.of("active").count("a") == 2
    assert all(state.undone for state in on.ctx.faults.values())


@pytest.mark.anyio
async def test_a_revert_that_never_works_does_not_keep_the_others_on(stage: Callable[..., Stage]) -> None:
    def answer(name: str, op: str) -> dict[str, Any]:
        return gone(name, op) if name != "stuck" else ({"active": True} if op == "active" else {"error": "no"})

    on = stage(answer, fault("old", armed=1), fault("stuck", armed=2), fault("new", armed=3))
    await faults.revert_open(on.ctx)
    assert on.hosts.of("revert").count("stuck") == ATTEMPTS
    assert on.ctx.faults["stuck"].dirty
    assert on.ctx.faults["old"].undone
    assert on.ctx.faults["new"].undone
    assert on.guardian.told == ["reverted new", "reverted old"]


@pytest.mark.anyio
async def test_a_host_that_cannot_even_be_started_does_not_keep_the_others_on(stage: Callable[..., Stage]) -> None:
    def answer(name: str, op: str) -> dict[str, Any]:
        if name == "hostless":
            raise DriverError("the driver host did not start")
        return gone(name, op)

    on = stage(answer, fault("other", armed=1), fault("hostless", armed=2))
    await faults.revert_open(on.ctx)
    assert on.ctx.faults["other"].undone
    assert on.ctx.faults["hostless"].dirty
    assert on.said("still-active")[0]["error"] == "no driver host: the driver host did not start"


@pytest.mark.anyio
async def test_what_a_dead_sender_has_asked_for_and_comes_after_the_revert_is_reverted_again(
    stage: Callable[..., Stage],
) -> None:
    """The second measurement waits for as long as such a request may take; a revert that nothing cut off does not."""
    known: list[Stage] = []

    def lands_late(_fault: str, op: str) -> dict[str, Any]:
        asked = [op for _, op in known[0].hosts.asked]
        return {"active": asked.count("revert") == 1 and asked.count("active") == 2} if op == "active" else {"ok": True}

    on = stage(lands_late, fault("remote", cut_off=True, request_seconds=0.6))
    known.append(on)
    began = anyio.current_time()
    await faults.revert_open(on.ctx)
    assert anyio.current_time() - began >= 2 * 0.6
    assert [op for _, op in on.hosts.asked] == ["revert", "active", "active", "revert", "active", "active"]
    assert on.ctx.faults["remote"].undone


def holding(name: str, op: str) -> dict[str, Any]:
    plan = Plan(driver="fake", targets=(name,)).to_json()
    answers: dict[str, dict[str, Any]] = {"plan": {"plan": plan}, "active": {"active": True}, "met": {"met": None}}
    return answers.get(op, {"ok": True})


def until_reverted(hosts: list[Stage]) -> Answer:
    """The fault is on until its revert has been asked for."""

    def answer(name: str, op: str) -> dict[str, Any]:
        done = bool(hosts) and "revert" in [asked for _, asked in hosts[0].hosts.asked]
        return {"active": not done} if op == "active" else holding(name, op)

    return answer


@pytest.mark.anyio
async def test_the_lease_of_a_fault_that_expires_is_renewed_while_it_is_on(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "HOLD_SECONDS", 0.1)
    known: list[Stage] = []
    on = stage(until_reverted(known), fault("leased", armed=0, expires=True), until_ms=450)
    known.append(on)
    await faults.live(on.ctx, on.ctx.faults["leased"], on.ctx.now_ms())
    renewals = len(on.hosts.of("renew"))
    assert 3 <= renewals <= 6
    last = [op for _, op in on.hosts.asked]
    assert "renew" not in last[last.index("revert") :], "nothing is renewed that is being reverted"
    assert on.ctx.faults["leased"].undone


@pytest.mark.anyio
async def test_a_fault_without_a_lease_is_not_asked_to_renew_one(stage: Callable[..., Stage]) -> None:
    known: list[Stage] = []
    on = stage(until_reverted(known), fault("plain", armed=0), until_ms=50)
    known.append(on)
    await faults.live(on.ctx, on.ctx.faults["plain"], on.ctx.now_ms())
    assert on.hosts.of("renew") == []


@pytest.mark.anyio
async def test_a_fault_that_is_on_at_its_maximum_is_reverted_and_ends_the_run(stage: Callable[..., Stage]) -> None:
    known: list[Stage] = []
    on = stage(until_reverted(known), fault("endless", armed=0, max_seconds=0.2), until_ms=60_000)
    known.append(on)

    with anyio.fail_after(5), on.ctx.stop.scope:
        await faults.live(on.ctx, on.ctx.faults["endless"], on.ctx.now_ms())
    assert on.ctx.stop.reason is Reason.ACTION_FAILED
    assert on.ctx.faults["endless"].undone
    assert "its maximum" in on.said("abort")[0]["detail"]
    kinds = on.kinds()
    assert kinds.index("reverted") < kinds.index("abort"), "first the fault, then the run"


@pytest.mark.anyio
async def test_the_watchdog_is_told_how_long_a_fault_may_be_on(stage: Callable[..., Stage]) -> None:
    known: list[Stage] = []
    on = stage(until_reverted(known), fault("f", armed=0, max_seconds=30.0), until_ms=30)
    known.append(on)
    await faults.live(on.ctx, on.ctx.faults["f"], on.ctx.now_ms())
    armed = on.guardian.told[0].split()
    assert armed[:2] == ["armed", "f"]
    assert float(armed[2]) > 30.0, "and every attempt of the runner to revert it"


def spec(**more: Any) -> FaultSpec:
    return FaultSpec.model_validate({"name": "f", "do": "kubernetes.kill", "for": "1s", **more})


def plan(targets: int, ready: int | None = None) -> Plan:
    return Plan(driver="d", targets=tuple(f"pod-{i}" for i in range(targets)), ready=ready)


@pytest.mark.parametrize(
    ("more", "planned", "why"),
    [
        ({}, plan(5), ""),
        ({"max_targets": 5}, plan(5), ""),
        ({"max_targets": 4}, plan(5), "it would touch 5 targets, and max_targets is 4: pod-0, pod-1"),
        ({"do": "process.pause"}, plan(2), "max_targets is 1"),
        ({"keep_ready": 2}, plan(1), "does not count what is ready"),
        ({"keep_ready": 2}, plan(1, ready=3), ""),
        ({"keep_ready": 3}, plan(1, ready=3), "3 are ready, it would touch 1, and keep_ready is 3"),
    ],
)
def test_a_plan_beyond_its_blast_radius_is_refused(more: dict[str, Any], planned: Plan, why: str) -> None:
    said = beyond(spec(**more), planned)
    assert said == why if not why else why in said


def deed(rounds: int, **more: Any) -> FaultSpec:
    given = {"name": "f", "do": "x", "irreversible": "allow", "observe": "1s", "every": "50ms", "times": rounds, **more}
    return FaultSpec.model_validate(given)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"times": None}, "every and times go together"),
        ({"every": None}, "every and times go together"),
        ({"every": "500ms", "times": 3}, "its last round would begin after observe is over"),
        ({"irreversible": None, "observe": None, "for": "9s"}, "every and times are for an irreversible fault"),
    ],
)
def test_rounds_that_cannot_be_are_refused(more: dict[str, Any], why: str) -> None:
    given = {"name": "f", "do": "x", "irreversible": "allow", "observe": "1s", "every": "50ms", "times": 3, **more}
    with pytest.raises(ValueError, match=why):
        FaultSpec.model_validate({key: value for key, value in given.items() if value is not None})


def test_max_targets_bounds_all_rounds_together() -> None:
    assert beyond(deed(3, max_targets=6), plan(2)) == ""
    assert "6 targets in 3 rounds, and max_targets is 5" in beyond(deed(3, max_targets=5), plan(2))


def killing(spec: FaultSpec) -> FaultState:
    state = fault("f", armed=0, spec=spec)
    state.reversible = False
    return state


class Dying:
    """A selection of pods: each inject kills the one that was planned, and another comes."""

    def __init__(self, fails: tuple[str, int] = ("", 0)) -> None:
        self.counts: dict[str, int] = {}
        self._fails = fails
        self.second = anyio.Event()

    def __call__(self, _fault: str, op: str) -> dict[str, Any]:
        self.counts[op] = self.counts.get(op, 0) + 1
        if (op, self.counts[op]) == ("inject", 2):
            self.second.set()
        if (op, self.counts[op]) == self._fails:
            return {"error": "boom"}
        known = Plan(
            driver="fake", targets=("f" if self.counts.get("inject", 0) == 0 else f"f{self.counts['inject']}",)
        )
        if op == "plan":
            return {"plan": known.to_json()}
        return {"active": True} if op == "active" else {"ok": True}


async def lived(stage: Callable[..., Stage], dying: Dying, rounds: int = 3) -> Stage:
    on = stage(dying, killing(deed(rounds)), until_ms=300)
    with anyio.fail_after(20), on.ctx.stop.scope:
        await faults.live(on.ctx, on.ctx.faults["f"], on.ctx.now_ms())
    return on


@pytest.mark.anyio
async def test_each_round_is_planned_anew_written_down_before_and_proven(stage: Callable[..., Stage]) -> None:
    on = await lived(stage, Dying())
    assert [record["plan"]["targets"] for record in on.said("round")] == [["f1"], ["f2"]]
    one = ["inject-called", "injected", "active", "deed"]
    assert on.kinds() == ["armed", *one, "round", *one, "round", *one, "observed"]


@pytest.mark.anyio
async def test_a_round_that_cannot_be_is_skipped_and_the_fault_is_not_proven(stage: Callable[..., Stage]) -> None:
    on = await lived(stage, Dying(("plan", 2)))
    assert on.said("round-skipped") == [{"fault": "f", "round": 2, "why": "boom"}]
    assert (len(on.said("deed")), on.said("unproven")) == (2, [{"fault": "f", "why": "rounds"}])


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("rule", "approved", "why"),
    [('deny_targets = ["f1"]', None, "f1"), ("", {"f": {"f": 1, "f2": 1}}, "nobody has approved these targets")],
)
async def test_what_a_policy_denies_or_nobody_approved_is_no_target_of_a_later_round(
    stage: Callable[..., Stage], rule: str, approved: Counted | None, why: str, tmp_path: Path
) -> None:
    dying = Dying()
    on = stage(dying, killing(deed(2)), until_ms=200)
    on.ctx.experiment = load_experiment(write(tmp_path / "x.yaml")).experiment
    (tmp_path / "gameday.toml").write_text(f'[environments.staging]\nhosts = ["127.0.0.1"]\n{rule}\n')
    on.ctx.policies, on.ctx.approved = find_policies(tmp_path / "x.yaml"), approved
    with anyio.fail_after(20), on.ctx.stop.scope:
        await faults.live(on.ctx, on.ctx.faults["f"], on.ctx.now_ms())
    (skipped,) = on.said("round-skipped")
    assert why in skipped["why"]
    assert (dying.counts["inject"], on.said("unproven")) == (1, [{"fault": "f", "why": "rounds"}])


@pytest.mark.anyio
async def test_a_round_that_fails_is_the_last(stage: Callable[..., Stage]) -> None:
    on = await lived(stage, Dying(("inject", 2)))
    assert (len(on.said("deed")), on.said("action-failed")[0]["error"]) == (1, "boom")


@pytest.mark.anyio
async def test_no_round_begins_once_the_run_is_stopped(stage: Callable[..., Stage]) -> None:
    dying = Dying()
    on = stage(dying, killing(deed(10)), until_ms=600)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(faults.live, on.ctx, on.ctx.faults["f"], on.ctx.now_ms())
            await dying.second.wait()
            group.cancel_scope.cancel()
    done = dying.counts["inject"]
    await anyio.sleep(0.15)
    assert dying.counts["inject"] == done < 10


def test_what_a_plan_counts_survives_json() -> None:
    assert Plan.from_json(plan(1, ready=3).to_json()) == plan(1, ready=3)
    assert "ready" not in plan(1).to_json()
