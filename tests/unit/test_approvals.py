"""Which approvals count: enough different people, for just this run, in time, signed by keys that may; and nothing else ever does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gameday.policy import signing
from gameday.policy.approvals import Met, demands, meet_all
from gameday.policy.file import Policy, read_policy
from gameday.policy.statement import read_approvals
from tests.fakes.approvers import ANA, BEN, NOW, PRODUCTION, SIGNERS, TARGETS, Case, both
from tests.fakes.policies import run_at

HOUR = timedelta(hours=1)


def also(*steps: Callable[[Case], object]) -> Callable[[Case], None]:
    """Do one thing after the other."""

    def done(case: Case) -> None:
        for step in steps:
            step(case)

    return done


def rewritten(case: Case, change: Callable[[dict[str, Any]], None]) -> None:
    """Ana approves, and so does Ben, whose file is changed afterwards."""
    case.approve(ANA)
    path = case.approve(BEN)
    raw = json.loads(path.read_text())
    change(raw)
    path.write_text(json.dumps(raw))


def restated(**changes: Any) -> Callable[[dict[str, Any]], None]:
    def change(raw: dict[str, Any]) -> None:
        raw["statement"] = json.dumps({**json.loads(raw["statement"]), **changes})

    return change


def only(case: Case, *lines: str) -> None:
    """Let only these approve: written anew."""
    both(case)
    (case.folder / SIGNERS).write_text("".join(f"{line}\n" for line in lines))


def revoked(case: Case) -> None:
    both(case)
    (case.folder / "revoked").write_text(case.office.public("ben") + "\n")
    (case.folder / "gameday.toml").write_text(PRODUCTION + 'revoked = "revoked"\n')
    policy = read_policy(case.folder / "gameday.toml")
    case.policy = replace(policy, digest=case.policy.digest)


def certificate(case: Case, principals: str, *words: str, options: str = "cert-authority") -> None:
    """Ben has no key of his own among the approvers, and a certificate of an authority that may say who people are."""
    case.office.lines = case.office.lines[:1]
    case.office.may("*@example.com", "authority", options)
    cert = case.office.certified("authority", "guest", "-n", principals, *words)
    case.approve(ANA)
    case.approve(BEN, cert)


CASES: dict[str, tuple[Callable[[Case], Any], str]] = {
    # name: (what was signed, what the refusal says; empty: it runs)
    "two people": (both, ""),
    "nobody": (lambda case: None, "nobody did"),
    "one person": (lambda case: case.approve(ANA), "ana@example.com did"),
    "one person twice": (lambda case: [case.approve(ANA), case.approve(ANA)], "ana@example.com did"),
    "one person with two keys": (
        lambda case: [case.office.may(ANA, "ana2"), case.approve(ANA), case.approve(ANA, "ana2")],
        "ana@example.com did",
    ),
    "one person in capitals": (
        lambda case: [
            case.office.may("Ana@Example.com", "ana2"),
            case.approve(ANA),
            case.approve("Ana@Example.com", "ana2"),
        ],
        "com did",
    ),
    "one key with two names": (
        lambda case: [
            case.office.may("anna@example.com", "ana"),
            case.approve(ANA),
            case.approve("anna@example.com", "ana"),
        ],
        "ana@example.com did",
    ),
    "two names in one line": (
        lambda case: [
            case.office.may("x@example.com,y@example.com", "z"),
            case.approve("x@example.com", "z"),
            case.approve("y@example.com", "z"),
        ],
        "x@example.com did",
    ),
    "two keys of a pattern": (
        lambda case: [
            case.office.may("*@guests.example.com", "g1").may("*@guests.example.com", "g2"),
            case.approve("u@guests.example.com", "g1"),
            case.approve("v@guests.example.com", "g2"),
        ],
        "u@guests.example.com did",
    ),
    "three people": (also(both, lambda case: case.approve("cy@example.com")), ""),
    "another version of the file": (lambda case: both(case, subject={"digest": "e"}), "another version of the file"),
    "other variables": (lambda case: both(case, subject={"composed": "c"}), "other values of the variables"),
    "another combination": (lambda case: both(case, subject={"variant": {"region": "us"}}), "another combination"),
    "another policy": (lambda case: both(case, policies={"0" * 64: ["production"]}), "under another policy"),
    "another environment": (
        lambda case: both(case, policies={case.policy.digest: ["staging"]}),
        "under another policy",
    ),
    "other targets": (lambda case: both(case, targets={"one": {"proxy mail (a to b)": 1}}), "other targets"),
    "more targets than there are": (
        lambda case: both(case, targets={"one": {**TARGETS["one"], "proxy mail": 1}}),
        "other targets",
    ),
    "another fault": (lambda case: both(case, targets={**TARGETS, "two": {"x": 1}}), "other targets"),
    "just expired": (lambda case: both(case, at=-24 * HOUR, until=timedelta(0)), "has expired at 2026-11-24T10:30:00Z"),
    "not expired yet": (lambda case: both(case, at=-24 * HOUR, until=timedelta(seconds=1)), ""),
    "for ever": (lambda case: both(case, until=timedelta(days=8)), "more than 7 days"),
    "for a week": (lambda case: both(case, until=timedelta(days=7)), ""),
    "dated ahead": (lambda case: both(case, at=HOUR), "which is to come"),
    "a clock that is a little ahead": (lambda case: both(case, at=timedelta(minutes=4)), ""),
    "a stranger": (lambda case: [case.approve(ANA), case.approve("eve@example.com")], "signature is not good"),
    "a stranger in somebody's name": (
        lambda case: [case.approve(ANA), case.approve(BEN, "eve")],
        "signature is not good",
    ),
    "a colleague in somebody's name": (
        lambda case: [case.approve(ANA), case.approve(BEN, "ana")],
        "signature is not good",
    ),
    "a statement that was changed": (lambda case: rewritten(case, restated(title="harmless")), "signature is not good"),
    "a term that was changed": (
        lambda case: rewritten(case, restated(until="2026-11-25T10:31:00Z")),
        "signature is not good",
    ),
    "a name that was changed": (lambda case: rewritten(case, restated(by="cy@example.com")), "signature is not good"),
    "no signature": (lambda case: rewritten(case, lambda raw: raw.update(signature="")), "signature is not good"),
    "a signature of something else": (
        lambda case: rewritten(case, lambda raw: raw.update(signature=signing.sign(case.office.key("ben"), "hello"))),
        "signature is not good",
    ),
    "no term": (lambda case: rewritten(case, restated(until=None)), "does not say when"),
    "targets of another shape": (lambda case: rewritten(case, restated(targets=[1])), "other targets"),
    "policies of another shape": (lambda case: rewritten(case, restated(policies="*")), "under another policy"),
    "a name that is a list": (lambda case: rewritten(case, restated(by=[BEN])), "it is no approval"),
    "a name with a blank": (lambda case: rewritten(case, restated(by="-O x")), "it is no approval"),
    "another kind of statement": (
        lambda case: rewritten(case, restated(schema="gameday/approval/2")),
        "it is no approval",
    ),
    "no statement": (lambda case: rewritten(case, lambda raw: raw.clear()), "it is no approval"),
    "not among them any more": (lambda case: only(case, f"{ANA} {case.office.public('ana')}"), "signature is not good"),
    "a key that may not sign any more": (
        lambda case: only(
            case,
            f"{ANA} {case.office.public('ana')}",
            f'{BEN} valid-before="20261124102900" {case.office.public("ben")}',
        ),
        "signature is not good",
    ),
    "a key that may sign until later": (
        lambda case: only(
            case,
            f"{ANA} {case.office.public('ana')}",
            f'{BEN} valid-before="20261124103100" {case.office.public("ben")}',
        ),
        "",
    ),
    "a key that may not sign yet": (
        lambda case: only(
            case, f"{ANA} {case.office.public('ana')}", f'{BEN} valid-after="20261125" {case.office.public("ben")}'
        ),
        "signature is not good",
    ),
    "a key for other things": (
        lambda case: only(
            case, f"{ANA} {case.office.public('ana')}", f'{BEN} namespaces="git" {case.office.public("ben")}'
        ),
        "signature is not good",
    ),
    "a key for approvals": (
        lambda case: only(
            case,
            f"{ANA} {case.office.public('ana')}",
            f'{BEN} namespaces="git,gameday-approval" {case.office.public("ben")}',
        ),
        "",
    ),
    "a key that is revoked": (revoked, "signature is not good"),
    "a certificate": (lambda case: certificate(case, BEN), ""),
    "a certificate for somebody else": (lambda case: certificate(case, "cy@example.com"), "signature is not good"),
    "a certificate that has ended": (
        lambda case: certificate(case, BEN, "-V", "20200101:20200102"),
        "signature is not good",
    ),
    "a certificate of nobody": (lambda case: certificate(case, BEN, options=""), "signature is not good"),
    "nobody may": (only, "nobody did"),
    "an unreadable list of who may": (also(both, lambda case: (case.folder / SIGNERS).unlink()), "cannot be read"),
    "a list of who may that is too large": (
        also(both, lambda case: (case.folder / SIGNERS).write_text("#" * 65_537)),
        "larger than 64 KiB",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_counts(name: str, tmp_path: Path) -> None:
    case = Case.of(tmp_path)
    signed, says = CASES[name]
    signed(case)
    refused = case.refused()
    assert says in refused, refused
    assert bool(refused) == bool(says), refused
    assert not says or "gameday.toml: environments.production.approvals" in refused


def test_without_ssh_keygen_nothing_may_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case.of(tmp_path)
    both(case)
    monkeypatch.setattr(signing, "PLACES", ("/nowhere/ssh-keygen",))
    assert "approvals cannot be checked, so nothing may run" in case.refused()


def test_another_ssh_keygen_in_the_path_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case.of(tmp_path)
    case.approve(ANA)
    case.approve(BEN, "eve")
    fake = tmp_path / "bin" / "ssh-keygen"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'Good \"x\" signature for y with ED25519 key SHA256:z'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent))
    assert "signature is not good" in case.refused()


def test_before_targets_are_known_they_are_not_looked_at(tmp_path: Path) -> None:
    case = Case.of(tmp_path)
    both(case, targets={})
    assert case.refused(None) == ""
    assert "other targets" in case.refused()


def test_each_policy_that_asks_is_asked(tmp_path: Path) -> None:
    case = Case.of(tmp_path)
    both(case)
    other = Policy(path=tmp_path / "other" / "gameday.toml", rules=case.policy.rules, digest="1" * 64)
    found = list(meet_all(demands([case.policy, other], run_at()), case.subject, TARGETS, NOW))
    assert [isinstance(one, Met) for one in found] == [True, False]


def test_files_that_are_no_approvals_are_nothing(tmp_path: Path) -> None:
    case = Case.of(tmp_path)
    both(case)
    (case.subject.folder / "a.json").write_text("[" * 100_000)
    (case.subject.folder / "b.json").write_text("x" * 20_000)
    (case.subject.folder / "c.json").mkdir()
    (case.subject.folder / "d.txt").write_text("")
    assert [one.by for one in read_approvals(case.subject.folder)] == [ANA, BEN, "", ""]
    assert case.refused() == ""
