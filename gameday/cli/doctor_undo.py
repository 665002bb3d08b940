"""``gameday doctor --undo``: kill runners of our own on this machine, and show what is left of their faults."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from typing import Any

import click

from gameday.undo.selftest import Kill, Report, selftest
from gameday.undo.standing import possible


def run_selftest(form: str) -> int:
    """Run the self-test and print it as ``text`` or ``json``; return 0 when nothing was left behind, 1 otherwise."""
    click.echo("killing runners of our own at every point of a fault's life; a minute or two …", err=True)
    report = selftest()
    click.echo(json.dumps(document(report), indent=2) if form == "json" else "\n".join(lines(report)))
    return 1 if report.residues or not report.kills else 0


def document(report: Report) -> dict[str, Any]:
    """Return the report as JSON has it; times in seconds from the death until the fault was proven gone."""
    return {
        "schema": "gameday/undo-selftest/1",
        "kills": len(report.kills),
        "residues": len(report.residues),
        "watchdog": possible().words(),
        "drivers": [_driver(name, kills) for name, kills in _by_driver(report).items()],
        "failures": [{"driver": k.driver, "point": k.point, "left": list(k.left)} for k in report.residues],
        "untested": [{"driver": name, "why": why} for name, why in report.untested.items()],
    }


def _by_driver(report: Report) -> dict[str, list[Kill]]:
    found: dict[str, list[Kill]] = {}
    for kill in report.kills:
        found.setdefault(kill.driver, []).append(kill)
    return found


def _driver(name: str, kills: Sequence[Kill]) -> dict[str, Any]:
    times = [kill.seconds for kill in kills if kill.seconds is not None and kill.point != "hung"]
    hung = [kill.seconds for kill in kills if kill.seconds is not None and kill.point == "hung"]
    return {
        "driver": name,
        "kills": len(kills),
        "residues": sum(bool(kill.left) for kill in kills),
        "median_seconds": round(statistics.median(times), 3) if times else None,
        "max_seconds": max(times, default=None),
        "hung_seconds": max(hung, default=None),
    }


def lines(report: Report) -> list[str]:
    """Return the report for people."""
    raw = document(report)
    said = [f"{'driver':<18}{'kills':>6}{'residues':>10}{'median':>9}{'slowest':>9}{'hung':>8}"]
    for row in raw["drivers"]:
        times = [row["median_seconds"], row["max_seconds"], row["hung_seconds"]]
        shown = ["" if seconds is None else f"{seconds:.2f} s" for seconds in times]
        said.append(f"{row['driver']:<18}{row['kills']:>6}{row['residues']:>10}{shown[0]:>9}{shown[1]:>9}{shown[2]:>8}")
    said += [f"{name}: not tested ({why})" for name, why in report.untested.items()]
    said += [f"LEFT BEHIND: {k.driver}, runner killed {k.point}: {'; '.join(k.left)}" for k in report.residues]
    said.append(f"the watchdog stands in {raw['watchdog']}")
    said.append(f"{raw['residues']} residues in {raw['kills']} kills; times are from the death until proven gone")
    return said
