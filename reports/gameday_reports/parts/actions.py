"""Action items: what people decided about the findings, from findings.yaml; a finding without an owner or a date is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gameday_reports.facts import Facts
from gameday_reports.reading import PARAGRAPH, bounded, parts, text

_OPEN = ("high", "medium", "low")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionView:
    """One action."""

    action: str
    kind: str
    finding: str
    """Its number on this page; empty for one that only an earlier run had."""
    anchor: str
    owner: str
    due: str
    ticket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionsView:
    """All actions, and what is still to be decided."""

    items: tuple[ActionView, ...]
    undecided: tuple[str, ...]
    """Numbers of findings that need an action and have none."""
    wrong: tuple[str, ...]
    """What is wrong with the file, for people."""


def actions_view(facts: Facts) -> ActionsView:
    """Describe the actions of a run's findings, in the order of the findings, then those of findings that are gone."""
    remarks = facts.run.remarks
    items: list[ActionView] = []
    undecided: list[str] = []
    seen: set[str] = set()
    for index, raw in enumerate(parts(facts.verdict, "findings"), 1):
        remark, name = remarks.get(text(raw, "fingerprint")), text(raw, "id", 12) or f"F{index}"
        seen.add(text(raw, "fingerprint"))
        if remark is not None:
            items.append(_item(remark, name, f"finding-{index}", text(raw, "next", PARAGRAPH)))
        elif text(raw, "severity").lower() in _OPEN:
            undecided.append(name)
    items += [_item(remark, "", "", fingerprint) for fingerprint, remark in remarks.items() if fingerprint not in seen]
    return ActionsView(
        items=tuple(items), undecided=tuple(undecided), wrong=tuple(map(bounded, facts.run.remarks_wrong))
    )


def _item(remark: Mapping[str, str], name: str, anchor: str, otherwise: str) -> ActionView:
    return ActionView(
        action=text(remark, "action", PARAGRAPH) or bounded(otherwise),
        kind=text(remark, "kind", 60),
        finding=name,
        anchor=anchor,
        owner=text(remark, "owner", 120),
        due=text(remark, "due", 40),
        ticket=text(remark, "ticket"),
    )
