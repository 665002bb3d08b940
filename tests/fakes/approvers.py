"""People with SSH keys, and the approvals of a file that they sign, with OpenSSH's own program."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gameday.policy.approvals import unapproved
from gameday.policy.file import Policy, read_policy
from gameday.policy.signing import PLACES, sign
from gameday.policy.statement import Approval, Term, statement, write_approval
from gameday.policy.subject import Counted, Subject, composed
from tests.fakes.policies import run_at

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
SIGNERS = "approvers.allowed_signers"
PRODUCTION = f"""
[environments.production]
hosts = ["127.0.0.1"]
approvals = 2
approvers = "{SIGNERS}"
"""
TARGETS: Counted = {"one": {"proxy payments (a to b)": 1}}
ANA, BEN = "ana@example.com", "ben@example.com"


def keygen(*words: str) -> None:
    """Run ssh-keygen; skip the test where it is not installed."""
    program = next((place for place in PLACES if os.access(place, os.X_OK)), None)
    if program is None:
        pytest.skip("ssh-keygen: apt-get install openssh-client")
    subprocess.run([program, "-q", *words], check=True, stdin=subprocess.DEVNULL, capture_output=True)


@dataclass
class Office:
    """A folder of keys, and of who may approve."""

    folder: Path
    lines: list[str] = field(default_factory=list[str])

    def key(self, name: str) -> Path:
        """A key of that name, made when it is first asked for."""
        path = self.folder / f"{name}.key"
        if not path.exists():
            keygen("-t", "ed25519", "-N", "", "-C", name, "-f", str(path))
        return path

    def public(self, name: str) -> str:
        return " ".join(self.key(name).with_name(f"{name}.key.pub").read_text().split()[:2])

    def may(self, principals: str, key: str, options: str = "") -> Office:
        """Let these principals approve with that key."""
        self.lines.append(" ".join(filter(None, (principals, options, self.public(key)))))
        (self.folder / SIGNERS).write_text("\n".join(self.lines) + "\n")
        return self

    def certified(self, authority: str, key: str, *words: str) -> Path:
        """A certificate for a key."""
        keygen("-s", str(self.key(authority)), "-I", key, *words, str(self.key(key)) + ".pub")
        return self.folder / f"{key}.key-cert.pub"

    def approve(
        self, subject: Subject, targets: Counted, policies: Mapping[str, Any], by: str, key: Path, **term: timedelta
    ) -> Path:
        """Sign and put it beside the file; ``at`` and ``until`` count from NOW."""
        at, until = term.get("at", timedelta(0)), term.get("until", timedelta(hours=24))
        text = statement(subject, "a run", targets, policies, Term(by=by, at=NOW + at, until=NOW + until))
        name = f"{len(list(subject.folder.glob('*')))}-{key.name}.json"
        return write_approval(subject.folder, Approval(name=name, text=text, signature=sign(key, text)))


@dataclass
class Case:
    """A file that needs two approvals of Ana, Ben and Cy."""

    folder: Path
    office: Office
    policy: Policy
    subject: Subject

    @classmethod
    def of(cls, folder: Path) -> Case:
        (folder / "gameday.toml").write_text(PRODUCTION)
        source = folder / "e.yaml"
        source.write_text("version: 1\n")
        office = Office(folder).may(ANA, "ana").may(BEN, "ben").may("cy@example.com", "cy")
        subject = Subject(source=source, digest="d", composed=composed(run_at(), folder), variant={"region": "eu"})
        return cls(folder, office, read_policy(folder / "gameday.toml"), subject)

    def approve(self, by: str, key: str | Path = "", **changes: Any) -> Path:
        """Approve as it is, or with another subject, other targets, another policy or another term."""
        path = key if isinstance(key, Path) else self.office.key(key or by.partition("@")[0])
        policies = changes.pop("policies", {self.policy.digest: ["production"]})
        targets = changes.pop("targets", TARGETS)
        subject = replace(self.subject, **changes.pop("subject", {}))
        return self.office.approve(subject, targets, policies, by, path, **changes)

    def refused(self, targets: Counted | None = TARGETS) -> str:
        found = unapproved([self.policy], run_at(), self.subject, NOW, targets)
        return "; ".join(map(str, found))


def both(case: Case, **changes: Any) -> None:
    case.approve(ANA)
    case.approve(BEN, **changes)
