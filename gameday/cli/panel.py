"""A snapshot of a run as the lines of a display: wide with a table, narrow with one thing a line."""

from __future__ import annotations

from io import StringIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from gameday.cli.terminal import Line, printable
from gameday.cli.views import FaultView, ObjectiveView, PhaseView, Snapshot
from gameday.schema.quantities import format_duration, format_percent

WIDE = 72
"""Columns from which on there is room for a bar and a table."""
_BAR = 24
_NAMES = {
    "starting": "starting",
    "warmup": "warm-up",
    "baseline": "baseline",
    "gate": "gate: waiting for the last baseline answers",
    "fault": "fault phase",
    "recovery": "recovery",
    "end": "ending: judging and putting away",
    "abort": "ABORTED: reverting and putting away",
    "refused": "refused",
}
_LAST = {"fault": "reverting"}
_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}
_FAULTS = {
    "waiting": ("○", "dim", "waits"),
    "armed": ("○", "yellow", "armed"),
    "injecting": ("◐", "yellow", "injecting"),
    "on": ("●", "red", "ON"),
    "done": ("●", "red", "done, cannot be undone"),
    "observed": ("✓", "green", "observed to the end"),
    "reverting": ("◐", "yellow", "reverting"),
    "gone": ("✓", "green", "reverted"),
    "failed": ("✗", "red", "FAILED"),
    "left": ("✗", "bold red", "MAY STILL BE ON"),
}
_BROKEN = "  broken, however the rest goes"
_ASCII = str.maketrans("✓✗·●○◐█░─…", "+x.*oo#.-~")


def panel(
    snapshot: Snapshot, *, width: int, rows: int, colour: bool, unicode: bool, label: str = "", hint: str = ""
) -> list[Line]:
    """Lay the snapshot out in at most ``width - 1`` columns and ``rows`` lines; what does not fit is left out from the end.

    One column stays free, so that no terminal wraps. Without ``colour`` there is no escape in it at all.
    """
    texts = [Text("─" * (width - 1), "dim")] if width >= WIDE else []
    texts += _wide(snapshot, label) if width >= WIDE else _narrow(snapshot, label)
    texts += [Text(hint if width >= WIDE else hint.partition(";")[0], "dim")] if hint else []
    console = Console(
        file=StringIO(),
        force_terminal=True,
        color_system="standard" if colour else None,
        no_color=not colour,
        width=max(width, 8),
        legacy_windows=False,
        highlight=False,
        _environ={},
    )
    lines: list[Line] = []
    for text in texts[: max(rows, 1)]:
        if not unicode:
            text.plain = text.plain.translate(_ASCII).encode("ascii", "replace").decode()
        text.truncate(max(width - 1, 7), overflow="ellipsis" if unicode else "crop")
        lines.append(Line(text=_rendered(console, text) if colour else text.plain, cells=cell_len(text.plain)))
    return lines


def _rendered(console: Console, text: Text) -> str:
    with console.capture() as captured:
        console.print(text, end="", soft_wrap=True)
    return captured.get()


def _wide(snapshot: Snapshot, label: str) -> list[Text]:
    title = Text.assemble((printable(snapshot.title), "bold"), (f"  {label}" if label else "", "dim"))
    head = Text.assemble(*_phase(snapshot.phase), *_bar(snapshot.phase))
    names = max((len(view.name) for view in snapshot.objectives), default=0)
    return [
        title,
        head,
        Text(_load_words(snapshot)),
        *(_objective(view, min(names, 32)) for view in snapshot.objectives),
        *(_fault(view) for view in snapshot.faults),
    ]


def _narrow(snapshot: Snapshot, label: str) -> list[Text]:
    return [
        Text.assemble((f"{label} " if label else "", "dim"), *_phase(snapshot.phase)),
        Text(_load_words(snapshot, short=True)),
        *(_objective_short(view) for view in snapshot.objectives),
        *(_fault(view) for view in snapshot.faults),
    ]


def _phase(phase: PhaseView) -> list[tuple[str, str]]:
    name = _NAMES.get(phase.name, phase.name)
    left = phase.left_ms
    if left is None:
        return [(name, "bold")]
    if left <= 0:
        return [(name, "bold"), (f", {_LAST.get(phase.name, 'ending')}", "")]
    return [(name, "bold"), (f", {_seconds(left)} left", "")]


def _bar(phase: PhaseView) -> list[tuple[str, str]]:
    if not phase.length_ms:
        return []
    rest = phase.after_ms + (phase.left_ms or 0)
    full = min(_BAR, int(_BAR * phase.passed_ms / phase.length_ms))
    return [
        ("  ", ""),
        ("█" * full, "cyan"),
        ("░" * (_BAR - full), "dim"),
        (f"  of {format_duration(phase.length_ms)}; the run ends in about {_seconds(rest)}", "dim"),
    ]


def _load_words(snapshot: Snapshot, *, short: bool = False) -> str:
    load = snapshot.load
    if load is None:
        return "no load of ours: the system has its own traffic"
    if load.sent is None:
        return "load has not begun"
    bad = "nothing decided yet" if load.bad is None else f"{_percent(load.bad)} failed"
    wanted = f"of {load.wanted:.4g}/s" if load.wanted else f"by {load.users} users"
    if short:
        return f"{load.sent:.0f}/s, {bad}, {load.in_flight} in flight"
    words = [f"load {load.sent:.0f}/s {wanted}", bad, f"{load.in_flight} in flight"]
    if load.cpu is not None:
        words.append(f"generator {load.cpu:.0%} of a core")
    return ", ".join(words)


def _objective(view: ObjectiveView, names: int) -> Text:
    mark, style = _MARKS[view.keeps and not view.broken]
    name = view.name if len(view.name) <= names else view.name[: names - 1] + "…"
    return Text.assemble(
        (f"{mark} ", style),
        f"{name:<{names}}  ",
        (f"{_now(view):<34}", style if view.keeps is False else ""),
        (view.allowed.text, "dim"),
        (_BROKEN if view.broken else "", "red"),
    )


def _objective_short(view: ObjectiveView) -> Text:
    mark, style = _MARKS[view.keeps and not view.broken]
    share = view.tally.share
    if view.allowed.kind == "gauge":
        now, allowed = "?" if view.value is None else f"{view.value:.4g}", f" ({view.allowed.text})"
    else:
        now, allowed = "?" if share is None else _percent(share), f" of {format_percent(view.allowed.budget)}"
    return Text.assemble(
        (f"{mark} ", style),
        f"{view.name}: ",
        (now, style if view.keeps is False else ""),
        (allowed, "dim"),
        (" broken" if view.broken else "", "red"),
    )


def _now(view: ObjectiveView) -> str:
    """Say the last seconds in the terms of the criterion, as a share of bad ones beside what is allowed."""
    share = view.tally.share
    if view.value is not None:
        return f"{view.allowed.sli} reads {view.value:.4g}"
    if share is None:
        return "fetched after the phases" if view.allowed.of_counters else "nothing measured"
    allowed = format_percent(view.allowed.budget)
    match view.allowed.kind:
        case "slow":
            return f"{_percent(share)} too slow, {allowed} allowed"
        case "throughput":
            return f"{_percent(1 - share)} answered"
        case "bad_seconds":
            return f"{view.tally.k} of {view.tally.n} seconds bad"
        case _:
            return f"{_percent(share)} failed, {allowed} allowed"


def _fault(view: FaultView) -> Text:
    mark, style, word = _FAULTS[view.state]
    if view.state == "on":
        word = "ON, proven" if view.proven else "ON, not proven yet"
    left = "" if view.left_ms is None else _left(view)
    return Text.assemble((f"{mark} ", style), f"{view.name}: ", (word, style), left)


def _left(view: FaultView) -> str:
    assert view.left_ms is not None  # noqa: S101 - asked before
    if view.state in ("waiting", "armed"):
        return f", in {_seconds(view.left_ms)}"
    return f", {_seconds(view.left_ms)} left"


def _seconds(ms: float) -> str:
    """Say a time left in whole seconds, rounded up: it never reads 0 s while it lasts."""
    return format_duration(-(-int(ms) // 1000) * 1000)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%" if share < 0.1 else f"{100 * share:.0f}%"  # noqa: PLR2004 - a digit where it matters
