"""What a run says of itself: its records and its verdict → messages, bounded, in the order in which people need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from gameday.model import Json, Verdict
from gameday.spi import Notice
from gameday.spi.notifier import LINES, one_line

_TITLE = 120
_NAMES = 10


def started(*, run: str, title: str, environment: Sequence[str] = (), wall: float, link: str = "") -> Notice:
    """Say that a run begins."""
    return _notice("start", run=run, title=title, environment=environment, wall=wall, link=link)


def aborted(
    reason: str, detail: str, *, run: str, title: str, environment: Sequence[str] = (), wall: float, link: str = ""
) -> Notice:
    """Say that a run is being stopped, and why; what became of its faults comes with its verdict."""
    said = one_line(f"It is being stopped, and every fault reverted: {detail or reason}")
    return _notice(
        "abort", run=run, title=title, environment=environment, wall=wall, link=link, summary=said, reasons=(reason,)
    )


def judged(document: Json, *, environment: Sequence[str] = (), wall: float, link: str = "") -> Notice:
    """Say what a run came to, from its verdict.json; ``dirty`` is an event of its own, which everybody is told."""
    verdict = str(document["verdict"])
    stopped: Json = document.get("stopped") or {}
    detail = f" {stopped['detail']}" if stopped.get("detail") else ""
    return _notice(
        "dirty" if verdict == Verdict.DIRTY.word else "end",
        run=str(document["run"]),
        title=str(document["title"]),
        environment=environment,
        wall=wall,
        link=link,
        verdict=verdict,
        residue=[(_residue(row), str(row["command"])) for row in document.get("residue") or ()],
        summary=f"{document['summary']}{detail}",
        reasons=[str(reason) for reason in document["reasons"]],
        objectives=[_objective(row) for row in document["objectives"]],
    )


def trial(*, title: str, wall: float) -> Notice:
    """Say that this is a test, which `gameday notify test` sends."""
    said = "This is a test of the notifications of gameday. Nothing was run."
    return _notice("test", run="", title=title, environment=(), wall=wall, link="", summary=said)


def _notice(
    event: str, *, run: str, title: str, environment: Sequence[str], wall: float, link: str, **more: Any
) -> Notice:
    at = datetime.fromtimestamp(wall, UTC)
    return Notice(
        id=one_line(f"{run or 'test'}-{event}-{at:%Y%m%dT%H%M%S%fZ}"),
        event=event,
        title=one_line(title, _TITLE),
        run=one_line(run),
        environment=tuple(one_line(name) for name in environment[:_NAMES]),
        link=link if link.startswith(("https://", "http://")) and link.isprintable() and " " not in link else "",
        at=at.isoformat(timespec="seconds"),
        **{name: _bounded(value) for name, value in more.items()},
    )


def _bounded(value: str | Sequence[str] | Sequence[tuple[str, str]]) -> Any:
    """Make every text one line of bounded length, and every list short, saying how much was left out."""
    if isinstance(value, str):
        return one_line(value)
    rows = [one_line(row) if isinstance(row, str) else (one_line(row[0]), one_line(row[1])) for row in value[:LINES]]
    if len(value) > LINES and isinstance(value[0], str):
        rows.append(f"… and {len(value) - LINES} more")
    return tuple(rows)


def _residue(row: Mapping[str, Any]) -> str:
    return f"{row['fault']} ({', '.join(map(str, row['targets'][:_NAMES]))})"


def _objective(row: Json) -> str:
    """Write one objective on a line: its verdict, its name, why, and what was counted or measured while the fault was on."""
    numbers = [text for criterion in row.get("criteria") or () if (text := _counted(criterion))]
    if alert := row.get("alert"):
        fired = alert.get("fired_ms")
        numbers.append(f"{alert['name']} " + ("did not fire" if fired is None else f"fired after {fired / 1000:.1f} s"))
    said = f": {'; '.join(numbers)}" if numbers else ""
    return one_line(f"{row['verdict']} {row['name']} ({row['reason']}){said}")


def _counted(criterion: Json) -> str:
    phases: Json = criterion.get("phases") or {}
    fault: Json = phases.get("fault") or {}
    text = str(fault.get("criterion") or criterion.get("during") or criterion.get("expect") or "")
    if fault.get("value") is not None:
        return f"{text}: {fault['value']:.6g}"
    if fault.get("n"):
        return f"{text}: {fault.get('k', 0):,} bad of {fault['n']:,}"
    return ""
