"""One rule of a policy that refuses a run, for people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One rule that a run breaks."""

    rule: str
    """Where it stands: ``gameday.toml: environments.production.deny``."""
    says: str

    def __str__(self) -> str:
        return f"{self.says} ({self.rule})"
