"""The looks after a loss: begun when it is proven, each change written down, ended with the run, and no answer is no good one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from gameday.journal.reader import read_journal
from gameday.journal.writer import Journal
from gameday.model import Plan
from gameday.runner.context import Context, FaultState
from gameday.runner.recovering import Recoveries
from gameday.spi import DriverError, Recovery, World
from gameday.undo.hosts import HostPool

Answer = Callable[[int], dict[str, Any]]
"""Told how many times it was asked since the loss, from 0."""
NO_HOST = "no host can be started"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class FakePool:
    """Hosts that answer as they are told, one at a time."""

    def __init__(self, answer: Answer) -> None:
        self.lost = False
        self.asked: list[str] = []
        self.busy = False
        self.ended = False
        self._answer = answer
        self._count = 0

    async def ask(self, fault: str, op: str, plan: Mapping[str, Any] | None, seconds: float) -> dict[str, Any]:
        assert not self.busy, "a host is asked one thing at a time"
        assert plan is not None
        self.busy, lost = True, self.lost
        try:
            await anyio.sleep(0.001)
        finally:
            self.busy = False
        self.asked.append(op)
        if not lost:
            return {"recovery": Recovery(lost=3, wanted=3, back=0).to_json()}
        answer = self._answer(self._count)
        self._count += 1
        if answer.get("error") == NO_HOST:
            raise DriverError(NO_HOST)
        return answer

    async def end(self) -> None:
        self.ended = True


def back(count: int, *, wanted: int = 3, detail: str = "") -> dict[str, Any]:
    return {"recovery": Recovery(lost=3, wanted=wanted, back=count, detail=detail).to_json()}


def fault(replaced: int | None = 3) -> FaultState:
    plan = Plan(driver="fake", targets=("t",), replaced=replaced)
    return FaultState(
        name="f", driver="fake", reversible=False, provable=True, inject_seconds=1.0, revert_seconds=1.0, plan=plan
    )


async def looked(folder: Path, answer: Answer, *, until: int, state: FaultState | None = None, rounds: int = 1) -> Any:
    """Lose something, look until the hosts were asked so often or nobody asks any more, and return records and hosts."""
    state, journal, pool = state or fault(), Journal.create(folder / "journal.ndjson"), FakePool(answer)
    unused = cast("Any", None)
    ctx = Context(
        run_id="r", seed=1, experiment=unused, timeline=unused, folder=unused, journal=journal, guardian=unused,
        hosts=unused, world=World(run_id="r"), base=folder, faults={state.name: state},
    )  # fmt: skip
    recoveries = Recoveries(ctx)
    with anyio.move_on_after(20):
        async with anyio.create_task_group() as group:
            recoveries.start(cast("HostPool", pool), group)
            while state.plan.replaced and not pool.asked:  # noqa: ASYNC110 - what the fake has answered
                await anyio.sleep(0.001)
            pool.lost = True
            for number in range(rounds):
                ctx.lost(state, number + 1)
            end = anyio.current_time() + 10
            while len(pool.asked) < until and anyio.current_time() < end:  # noqa: ASYNC110 - as above
                await anyio.sleep(0.005)
            await anyio.sleep(0.05)
            recoveries.finish()
            group.cancel_scope.cancel()
    await recoveries.close()
    journal.close()
    records = [dict(event.data) for event in read_journal(journal.path).events if event.kind == "recovery"]
    return records, pool


@pytest.mark.anyio
async def test_changes_are_written_down_until_all_are_back(tmp_path: Path) -> None:
    answers = [back(0, detail="none yet"), back(0, detail="none yet"), back(2), back(3)]
    records, pool = await looked(tmp_path, lambda count: answers[min(count, 3)], until=5)
    assert [(record["back"], record["recovered"], record["end"]) for record in records] == [
        (0, False, False), (2, False, False), (3, True, False),
    ]  # fmt: skip
    assert len(pool.asked) == 5, "once beforehand, then until they were back, and not again"
    assert [record["after_ms"] for record in records] == sorted(record["after_ms"] for record in records)
    assert pool.ended


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"error": "no answer from the API server"}, "no answer from the API server"),
        ({"error": NO_HOST}, f"no driver host: {NO_HOST}"),
        ({"recovery": {"lost": 1, "wanted": 2, "back": 2, "detail": ""}}, "what is no recovery"),
        ({"recovery": None}, "what is no recovery"),
    ],
)
async def test_no_answer_is_unknown_and_never_back(tmp_path: Path, answer: dict[str, Any], error: str) -> None:
    records, _ = await looked(tmp_path, lambda _: answer, until=3)
    assert [record["end"] for record in records] == [False, True], "the same again is written once, and at the end"
    assert all(error in record["error"] and not record["recovered"] and record["back"] == 0 for record in records)


@pytest.mark.anyio
async def test_what_is_not_back_at_the_end_is_said(tmp_path: Path) -> None:
    records, _ = await looked(tmp_path, lambda _: back(1, detail="web-9 is not ready"), until=2)
    assert [(record["back"], record["end"]) for record in records] == [(1, False), (1, True)]
    assert records[-1]["detail"] == "web-9 is not ready"


@pytest.mark.anyio
async def test_a_run_that_ends_at_once_has_asked_nobody(tmp_path: Path) -> None:
    records, _ = await looked(tmp_path, lambda _: {"error": "x" * 10}, until=0)
    assert records[-1]["end"]
    assert records[-1]["error"]


@pytest.mark.anyio
async def test_fewer_that_are_wanted_are_looked_at_to_the_end(tmp_path: Path) -> None:
    records, pool = await looked(tmp_path, lambda count: back(1, wanted=1) if count else back(0), until=4)
    assert [(record["wanted"], record["recovered"], record["end"]) for record in records] == [
        (3, False, False), (1, True, False), (1, True, True),
    ]  # fmt: skip
    assert len(pool.asked) >= 4


@pytest.mark.anyio
async def test_rounds_take_turns(tmp_path: Path) -> None:
    records, _ = await looked(tmp_path, lambda count: back(3 if count > 5 else 0), until=10, rounds=3)
    last = {record["round"]: record["recovered"] for record in records}
    assert last == {1: True, 2: True, 3: True}


@pytest.mark.anyio
@pytest.mark.parametrize("replaced", [None, 0])
async def test_nothing_is_looked_at_that_nothing_replaces(tmp_path: Path, replaced: int | None) -> None:
    records, pool = await looked(tmp_path, lambda _: back(3), until=0, state=fault(replaced))
    assert (records, pool.asked) == ([], [])
