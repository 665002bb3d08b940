"""One rule of a policy that refuses a run, for people."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_ENVIRONMENT = re.compile(r"\s*\[\s*environments\s*\.\s*([\"']?)(?P<name>[^\]\"']+?)\1\s*\]")
_TABLE = re.compile(r"\s*\[")
_RULE = re.compile(r": environments\.(?P<name>.+?)(?:\.(?P<key>[a-z_]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One rule that a run breaks."""

    rule: str
    """Where it stands: ``gameday.toml: environments.production.deny``."""
    says: str
    line: int = 0
    """Of the policy's file, from 1; 0 where it is not known."""

    def __str__(self) -> str:
        return f"{self.says} ({self.rule}{f', line {self.line}' if self.line else ''})"


def located(refusal: Refusal, text: str) -> Refusal:
    """Return a refusal with the line of its key in a policy's text, or of its environment where the key stands elsewhere."""
    match = _RULE.fullmatch(refusal.rule[refusal.rule.find(": ") :])
    return replace(refusal, line=_line(text, match["name"], match["key"] or "")) if match else refusal


def _line(text: str, environment: str, key: str) -> int:
    head = 0
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        if (match := _ENVIRONMENT.match(line)) is not None:
            inside = match["name"] == environment
            head = number if inside else head
        elif _TABLE.match(line):
            inside = False
        elif inside and key and re.match(rf"\s*{key}\s*=", line):
            return number
    return head
