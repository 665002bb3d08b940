"""``gameday verify`` on approvals: what two people signed is found good again, and whatever was altered afterwards is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gameday.gamedays.approved import check_approvals
from gameday.model import Run
from gameday.policy.approvals import Met, demands, meet_all
from gameday.policy.subject import composed_json, lasting
from gameday.schema.experiment import Experiment
from tests.fakes.approvers import ANA, BEN, NOW, Case
from tests.fakes.stories import Story, experiment

PROXY = "proxy payments"


def told(
    folder: Path, change: Callable[[dict[str, Any]], object] = lambda data: None, people: tuple[str, ...] = (ANA, BEN)
) -> Run:
    """A run that these people approved, and whose journal was then changed."""
    case, file = Case.of(folder), experiment()
    composed = composed_json(Experiment.model_validate(file).to_json(), folder)
    case.subject = replace(case.subject, composed=composed)
    run = Experiment.model_validate(file)
    for name in people:
        case.approve(name, targets=lasting(run, {"payments-down": (PROXY,)}))
    (met,) = meet_all(demands([case.policy], run), case.subject, None, NOW)
    record = met.record() if isinstance(met, Met) else {}
    story = Story(file=Experiment.model_validate(file).to_json())
    opened: dict[str, Any] = story.events[0][2]
    opened["policy"] = [{"sha256": case.policy.digest, "environments": ["production"], "approvals": {"production": 2}}]
    if record:
        story.events.append((4_100, "approved", record))
    data: dict[str, Any] = {"opened": opened, "approved": record, "story": story}
    change(data)
    made = story.run()
    events = tuple(replace(event, wall=NOW.timestamp()) for event in made.events)
    plan = {**made.plan, "composed": data.get("composed", composed), "variant": {"region": "eu"}}
    return replace(made, events=events, plan=plan, experiment=data.get("experiment", made.experiment))


def approvals(data: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data["approved"]["approvals"]
    return found


def restated(name: str, value: Any) -> Callable[[dict[str, Any]], object]:
    def change(data: dict[str, Any]) -> None:
        one = approvals(data)[1]
        one["statement"] = json.dumps({**json.loads(one["statement"]), name: value})

    return change


def lenient(data: dict[str, Any]) -> None:
    """Whoever alters a journal may ask for fewer, too; here only half of it."""
    data["approved"]["needed"] = 0
    approvals(data).clear()


def other_target(data: dict[str, Any]) -> None:
    planned = next(told for told in data["story"].events if told[1] == "planned")
    planned[2]["targets"] = ["proxy mail"]


ALTERED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no approval": (lambda data: data["story"].without("approved"), "faults were armed without"),
    "one approval less": (lambda data: approvals(data).pop(), "1 did: there are no others"),
    "one of them twice": (lambda data: approvals(data).__setitem__(1, approvals(data)[0]), "1 did"),
    "fewer needed": (lenient, "0 did"),
    "another name": (restated("by", "cy@example.com"), "signature is not good"),
    "a longer term": (restated("until", "2026-11-29T10:30:00Z"), "signature is not good"),
    "another version": (lambda data: data["opened"].update(digest="e"), "another version of the file"),
    "another experiment": (lambda data: data.update(composed="c"), "other values of the variables"),
    "other targets": (other_target, "other targets"),
    "another policy": (restated("policies", {}), "under another policy"),
    "a round beyond them": (
        lambda data: data["story"].add(
            40_000, "round", fault="payments-down", round=2, plan={"targets": ["proxy mail"]}
        ),
        "the round 2 of payments-down",
    ),
    "approved afterwards": (
        lambda data: data["story"].without("approved").add(70_000, "approved", **data["approved"]),
        "after the first fault",
    ),
    "a list without one of them": (
        lambda data: data["approved"].update(signers=data["approved"]["signers"].splitlines()[0]),
        "signature is not good",
    ),
    "an experiment that is none": (lambda data: data.update(experiment={}), "cannot be read"),
}


@pytest.mark.parametrize("name", ALTERED)
def test_what_was_altered_is_told(name: str, tmp_path: Path) -> None:
    change, says = ALTERED[name]
    found = [check for check in check_approvals(told(tmp_path, change), None) if check.finding == "altered"]
    assert found
    assert any(says in check.says for check in found), found


def test_what_was_approved_is_intact_and_says_by_whom(tmp_path: Path) -> None:
    found = list(check_approvals(told(tmp_path), None))
    assert [(check.what, check.finding) for check in found] == [
        ("approvals", "intact"),
        ("approvals", "intact"),
        ("approvers", "unknown"),
    ]
    assert f"{ANA}, {BEN} approved just this" in found[0].says


def test_a_trusted_list_shows_keys_that_somebody_put_into_the_journal(tmp_path: Path) -> None:
    run = told(tmp_path)
    trusted = (tmp_path / "approvers.allowed_signers").read_bytes()
    assert {check.finding for check in check_approvals(run, trusted)} == {"intact"}
    without_ben = b"\n".join(line for line in trusted.splitlines() if not line.startswith(BEN.encode()))
    assert "altered" in {check.finding for check in check_approvals(run, without_ben)}


def test_abort_rules_of_a_policy_do_not_hide_what_was_approved(tmp_path: Path) -> None:
    raw = Experiment.model_validate(experiment()).to_json()
    added = told(
        tmp_path, lambda data: data.update(experiment={**raw, "abort": ["errors lose 3s of traffic beyond 50%"]})
    )
    assert [check.finding for check in check_approvals(added, None)][:2] == ["intact", "intact"]


def test_an_experiment_that_cannot_be_hashed_again_is_not_called_intact(tmp_path: Path) -> None:
    raw = Experiment.model_validate(experiment()).to_json()
    renamed = told(tmp_path, lambda data: data.update(experiment={**raw, "title": "of the run r"}))
    assert [check.finding for check in check_approvals(renamed, None)][:2] == ["intact", "unknown"]


def test_without_ssh_keygen_it_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = told(tmp_path)
    monkeypatch.setattr("gameday.policy.signing.PLACES", ())
    assert next(iter(check_approvals(run, None))).finding == "unknown"


def test_a_run_that_was_refused_needs_none(tmp_path: Path) -> None:
    run = told(tmp_path, lambda data: data["story"].without("approved", "armed"))
    assert [check.finding for check in check_approvals(run, None)] == ["intact"]


def test_a_run_without_policies_has_nothing_to_say() -> None:
    assert list(check_approvals(Story().run(), None)) == []
