"""The outbox: nobody who posts ever waits, each message is told of once, and a receiver that hangs holds up no other."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gameday.notify import notices
from gameday.notify.channels import Route, routes
from gameday.notify.outbox import BACKLOG, Outbox, Outcome, settle_all
from gameday.notify.telling import teller
from gameday.schema.notify import Channel
from gameday.spi import Notice, NotSentError, Secrets
from tests.fakes.receiver import Behaviour, answer, endless, never, receiver, reset
from tests.harness import await_true, free_port

SECRETS = Secrets(values={"key": "hunter2"})
EVERY = ("start", "abort", "end", "fail", "dirty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripted:
    """Fails as it is told, and then takes everything."""

    errors: list[Exception] = field(default_factory=list[Exception])
    taken: list[Notice] = field(default_factory=list[Notice])
    gate: threading.Event | None = None
    tries: list[str] = field(default_factory=list[str])

    name = "scripted"

    def send(self, notice: Notice, secrets: Secrets, seconds: float) -> None:
        assert seconds > 0
        self.tries.append(notice.id)
        if self.gate is not None:
            self.gate.wait(60)
        if self.errors:
            raise self.errors.pop(0)
        self.taken.append(notice)


def route(notifier: Scripted, label: str = "webhook") -> Route:
    channel = Channel.model_validate({"webhook": "https://h.example", "on": list(EVERY)})
    return Route(label=label, channel=channel, notifier=notifier)


def notice(number: int = 0, event: str = "start") -> Notice:
    return Notice(id=f"n{number}", event=event, title="T hunter2")


def box(*notifiers: Scripted, pauses: tuple[float, ...] = (0.0, 0.0, 0.0)) -> Outbox:
    return Outbox([route(one, f"w{index}") for index, one in enumerate(notifiers)], SECRETS, pauses=pauses)


def test_a_message_is_delivered_once_with_its_secrets_masked() -> None:
    to = Scripted()
    outbox = box(to)
    outbox.post(notice())
    outbox.post(notice())
    assert outbox.settle(20) == ()
    assert [one.title for one in to.taken] == ["T ***"]
    assert [str(one) for one in outbox.outcomes()] == ["w0, start: delivered"]


def test_it_is_tried_again_and_that_is_told() -> None:
    to = Scripted(errors=[NotSentError("it answers 500"), NotSentError("it answers 503", after=0.0)])
    outbox = box(to)
    outbox.post(notice())
    assert outbox.settle(20) == ()
    assert outbox.outcomes() == (Outcome(channel="w0", event="start", outcome="delivered", tries=3),)


def test_after_the_last_try_it_has_failed() -> None:
    to = Scripted(errors=[NotSentError("it answers 500")] * 10)
    outbox = box(to)
    outbox.post(notice())
    assert [str(one) for one in outbox.settle(20)] == ["w0, start: failed (4 tries): it answers 500"]
    assert len(to.tries) == 4


def test_what_cannot_help_is_not_tried_again() -> None:
    to = Scripted(errors=[NotSentError("there is no such webhook (404)", again=False)] * 2)
    outbox = box(to)
    outbox.post(notice())
    assert [one.tries for one in outbox.settle(20)] == [1]


def test_a_strangers_bug_is_told_by_its_name_only() -> None:
    to = Scripted(errors=[RuntimeError("hunter2 in it")])
    outbox = box(to)
    outbox.post(notice())
    [lost] = outbox.settle(20)
    assert lost.error == "a bug in w0: RuntimeError"


def test_a_receiver_that_asks_for_a_long_wait_gets_it_but_the_end_does_not_wait() -> None:
    to = Scripted(errors=[NotSentError("it answers 429", after=1e9)])
    outbox = box(to)
    outbox.post(notice())
    await_true(lambda: outbox.on_their_way()[0].tries == 1, 20, "the first try")
    [lost] = outbox.settle(0)
    assert (lost.outcome, lost.tries, lost.error) == ("late", 1, "it answers 429")
    assert len(to.tries) == 1


def test_who_hangs_holds_up_nobody_else_and_what_comes_after_the_end_changes_nothing() -> None:
    gate = threading.Event()
    stuck, quick = Scripted(gate=gate), Scripted()
    outbox = box(stuck, quick)
    outbox.post(notice())
    await_true(lambda: len(outbox.outcomes()) == 1 and stuck.tries == ["n0"], 20, "the quick one is told")
    assert [str(one) for one in outbox.on_their_way()] == ["w0, start: pending"]
    lost = outbox.settle(0)
    assert [(one.channel, one.outcome) for one in lost] == [("w0", "late")]
    gate.set()
    await_true(lambda: bool(stuck.taken), 20, "the stuck one goes on")
    assert outbox.settle(0) == lost
    outbox.post(notice(1))
    assert [one.outcome for one in outbox.outcomes()] == ["delivered", "late", "late", "late"]


def test_the_queue_is_bounded_and_says_so() -> None:
    gate = threading.Event()
    to = Scripted(gate=gate)
    outbox = box(to)
    outbox.post(notice(0))
    await_true(lambda: to.tries == ["n0"], 20, "the first is on its way")
    for number in range(1, BACKLOG + 3):
        outbox.post(notice(number))
    assert [one.error for one in outbox.outcomes()] == [f"{BACKLOG} others wait"] * 2
    gate.set()
    lost = outbox.settle(20)
    assert [one.outcome for one in lost] == ["dropped"] * 2
    assert len(to.taken) == BACKLOG + 1


def test_several_are_settled_within_one_deadline() -> None:
    gate = threading.Event()
    stuck = [box(Scripted(gate=gate)) for _ in range(3)]
    for one in stuck:
        one.post(notice())
    assert [one.outcome for one in settle_all(stuck, 0.1)] == ["late"] * 3
    gate.set()


def test_channels_are_called_by_their_kind_and_place(tmp_path: Path) -> None:
    raw = [{"webhook": "https://a.example"}, {"email": "a@b.example"}, {"webhook": "https://b.example", "ca": "x.pem"}]
    found = routes([Channel.model_validate(one) for one in raw], tmp_path)
    assert [one.label for one in found] == ["webhook 1", "email", "webhook 2"]
    assert getattr(found[2].notifier, "ca", "") == str(tmp_path / "x.pem")


@pytest.mark.parametrize("behaviour", [never, endless, reset, answer(500)], ids=["never", "endless", "reset", "500"])
def test_beside_a_receiver_that_misbehaves_the_good_one_is_told(behaviour: Behaviour, tmp_path: Path) -> None:
    with receiver(behaviour) as bad, receiver() as good:
        raw = [{"slack": "${bad}", "on": ["start"]}, {"slack": "${good}", "on": ["start"]}]
        secrets = Secrets(values={"bad": bad.url, "good": good.url})
        channels = [Channel.model_validate(one) for one in raw]
        told = teller(channels, secrets, base=tmp_path, title="T", logs=tmp_path / "logs")
        told.post(notices.started(run="R", title="T", wall=0))
        good.await_requests(1)
        await_true(lambda: any(one.channel == "slack 2" for one in told.outbox.outcomes()), 20, "the good one")
        lost = told.outbox.settle(0.2)
    assert [one.channel for one in lost] == ["slack 1"]
    log = (tmp_path / "logs" / "notify.log").read_text()
    assert "slack 2, start: delivered" in log
    assert "slack 1, start: " in log
    assert "T0CANARY" not in log
    assert str(bad.port) not in log


def test_nobody_listens_at_all(tmp_path: Path) -> None:
    secrets = Secrets(values={"url": f"http://127.0.0.1:{free_port()}/x"})
    told = teller([Channel.model_validate({"teams": "${url}"})], secrets, base=tmp_path, title="T")
    told.post(notices.trial(title="T", wall=0))
    [lost] = told.outbox.settle(1.0)
    assert lost.error == "it refuses connections"
