"""People with SSH keys, and the approvals that they sign, with OpenSSH's own program."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gameday.policy.signing import PLACES, sign
from gameday.policy.statement import Approval, Term, statement, write_approval
from gameday.policy.subject import Counted, Subject

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
SIGNERS = "approvers.allowed_signers"


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
