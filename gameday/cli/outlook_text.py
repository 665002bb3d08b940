"""An outlook as text: a small drawing of the timeline, and what people ask before they press the button."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from gameday.cli.outlook_sources import sentences
from gameday.cli.terminal import printable
from gameday.model import Json
from gameday.schema.experiment import CHAOS_EXPERIMENT, Experiment
from gameday.schema.quantities import format_duration, format_rate

_PHASES = {"warmup": "warm-up", "baseline": "baseline", "fault": "fault", "recovery": "recovery"}
_LEVELS = "▁▂▃▄▅▆▇█"
_NAMES = 24
"""Most columns of names on the left."""


def text(document: Json, experiment: Experiment, width: int) -> str:
    """Lay it out for people, in lines of at most ``width`` columns where nothing is longer by itself."""
    if not experiment.objectives:
        return _as_it_is(document)
    blocks = [
        list(_head(document)),
        list(_drawing(document, experiment, max(40, width))),
        list(_load(document)),
        list(_faults(document["faults"])),
        list(_deaths(document["faults"])),
        [f"abort when {rule}" for rule in document["abort"]]
        or ["no abort rule: only lost control, a lost load and a signal stop it"],
        [f"silenced from the warm-up to the end, which is no fault: {', '.join(document['silenced'])}"]
        if document["silenced"]
        else [],
        list(_alerts(document)),
        list(_chances(document)),
        list(_end(document)),
    ]
    return _joined(blocks)


def _joined(blocks: Sequence[Sequence[str]]) -> str:
    return "\n\n".join("\n".join(printable(line) for line in block) for block in blocks if block)


def _as_it_is(document: Json) -> str:
    """Lay out a Chaos Toolkit experiment: it has a gate, a pace and a hypothesis of its own, and no load or objectives of ours."""
    head = [document["title"], *([f"  {' '.join(document['hypothesis'].split())}"] if document["hypothesis"] else [])]
    longest = max(fault["length_ms"] for fault in document["faults"])
    head.append(
        f"  {document['source']}; a Chaos Toolkit experiment, at most {format_duration(longest)}; its hypothesis is judged"
    )
    faults = document["faults"]
    return _joined([head, list(_faults(faults)), list(_deaths(faults)), list(_end(document))])


def _head(document: Json) -> Iterator[str]:
    yield f"{document['title']}"
    if document["hypothesis"]:
        yield f"  {' '.join(document['hypothesis'].split())}"
    variant = "".join(f" {name}={value}" for name, value in document["variant"].items())
    yield f"  {document['source']}{variant}; takes about {_about(document)}, at most {format_duration(document['max_ms'])}"
    if document["system"]:
        yield f"  starts and stops: {', '.join(document['system'])}"


def _about(document: Json) -> str:
    return format_duration(document["phases"][-1]["to_ms"])


def _drawing(document: Json, experiment: Experiment, width: int) -> Iterator[str]:
    """Draw phases, load and faults over one axis: the load's time."""
    names = [fault["name"] for fault in document["faults"]]
    left = min(_NAMES, max(len(name) for name in [*names, "load"])) + 2
    columns = width - left - 10
    total = document["phases"][-1]["to_ms"]
    zero = next(phase["from_ms"] for phase in document["phases"] if phase["name"] == "fault")

    def column(ms: float) -> int:
        return min(columns, round(float(ms / total * columns)))

    yield " " * left + _axis(document["phases"], column, columns)
    if experiment.load is not None:
        yield f"{'load':<{left}}" + _curve(experiment, total, columns)
    for fault in document["faults"]:
        begin = column(zero + fault["at_ms"])
        end = max(begin + 1, column(zero + fault["at_ms"] + fault["length_ms"]))
        bar = "█" * (end - begin) if fault["reversible"] else "×" + "─" * (end - begin - 1)
        yield (
            f"{_short(fault['name'], left - 2):<{left}}" + " " * begin + bar + f" {format_duration(fault['length_ms'])}"
        )
    for phase in document["phases"]:
        offered = "" if not phase["offered"] else f", {phase['offered']:,} requests"
        yield f"  {_PHASES[phase['name']]:<10}{format_duration(phase['to_ms'] - phase['from_ms'])}{offered}"


def _axis(phases: Sequence[Json], column: Callable[[float], int], columns: int) -> str:
    row = [" "] * (columns + 1)
    for phase in phases:
        begin, end = column(phase["from_ms"]), column(phase["to_ms"])
        word = ("|" + _PHASES[phase["name"]])[: max(1, end - begin)] if end > begin else ""
        row[begin : begin + len(word)] = list(word)
    return "".join(row).rstrip()


def _curve(experiment: Experiment, total: int, columns: int) -> str:
    """Draw arrivals (or users) as a row of blocks, and name the highest."""
    load = experiment.profile
    level = load.rate_at if load.open_model else load.users_at
    values = [level((index + 0.5) * total / columns) for index in range(columns)]
    most = max(values) or 1.0
    drawn = "".join(_LEVELS[min(7, int(7 * value / most))] if value else " " for value in values)
    peak = format_rate(load.peak_rate) if load.open_model else f"{load.peak_users} users"
    return f"{drawn} {peak}"


def _load(document: Json) -> Iterator[str]:
    load = document["load"]
    if load is None:
        yield "no load of ours: the objectives are about the system's own traffic"
    else:
        yield _load_words(load)
    for sli in document["slis"]:
        often = "once, after the phases" if sli["every_ms"] is None else f"every {format_duration(sli['every_ms'])}"
        yield f"{'fetches' if sli['every_ms'] is None else 'reads'} {sli['name']} ({sli['kind']}) {often}"
    yield from (f"  {line}" for line in sentences(document["sources"]))


def _load_words(load: Json) -> str:
    model = (
        "open model: arrivals by the clock" if load["model"] == "open" else "closed model: users wait, and hide stalls"
    )
    return f"load on {load['target']} ({model}), at most {load['max_in_flight']:,} requests in flight"


def _faults(faults: Sequence[Json]) -> Iterator[str]:
    for fault in faults:
        targets = ", ".join(fault["targets"]) or "no target"
        note = f" ({fault['note']})" if fault["note"] else ""
        most = "at most " if fault["driver"] == CHAOS_EXPERIMENT else ""
        when = f"at {format_duration(fault['at_ms'])} for {most}{format_duration(fault['length_ms'])}"
        yield f"{fault['name']}: {fault['driver']} on {targets}{note}, {when}"
        if fault["error"]:
            yield from f"  CANNOT BE PLANNED: {fault['error']}".splitlines()  # rules to copy have lines of their own
        on = f"; on for at most {format_duration(fault['max_ms'])}" if fault["reversible"] else ""
        yield f"  undo: {fault['undo']}{on}"


def _deaths(faults: Sequence[Json]) -> Iterator[str]:
    """Print who undoes what when somebody dies, once for all faults of which the same is true."""
    tables: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for fault in faults:
        if fault["survives"]:
            rows = tuple((row["death"], row["undone_by"]) for row in fault["survives"])
            tables.setdefault(rows, []).append(fault["name"])
    for rows, names in tables.items():
        yield f"who undoes {', '.join(names)} after"
        wide = max(len(death) for death, _ in rows)
        for death, undone_by in rows:
            yield f"  {death:<{wide}}  {undone_by}"


def _alerts(document: Json) -> Iterator[str]:
    """Print whether each alert can fire in time; what cannot is among the refusals, too."""
    for row in document["alerts"]:
        asked = "never fires" if row["within_ms"] is None else f"fires within {format_duration(row['within_ms'])}"
        loud = {"late": "TOO LATE: ", "cannot": "CANNOT FIRE: ", "no-rule": "NO SUCH RULE: "}.get(row["outlook"], "")
        yield f"{row['objective']}: alert {row['alert']} {asked}; {loud}{row['said']}"


def _chances(document: Json) -> Iterator[str]:
    """Print a row for each criterion and phase: requests, what is assumed, the chance."""
    rows: list[Json] = document["chances"]
    if not rows:
        yield "chances: not known; users and gauges decide themselves how much is measured"
        return
    at = f"at the rates of {document['earlier']}" if document["earlier"] else "if a quarter of each budget is used"
    yield f"chance to pass, {at}:"
    names = max(len(row["objective"]) for row in rows)
    for row in rows:
        needed = f", {row['needed']:,} needed if none is bad" if row["needed"] and row["phase"] == "fault" else ""
        yield (
            f"  {_percent(row['chance']):>6}  {row['objective']:<{names}}  {_PHASES[row['phase']]:<9} {row['criterion']}"
            f"  ({row['requests']:,} requests, {_share(row['share'])} bad{needed})"
        )
    yield f"  {_percent(document['chance']):>6}  all of it together"
    for advice in document["advice"]:
        yield f"  {advice}"


def _end(document: Json) -> Iterator[str]:
    refusals: list[Json] = document["refusals"]
    for refusal in refusals:
        yield f"REFUSED ({refusal['reason']}): {refusal['detail']}".splitlines()[0]
    if not refusals:
        yield f"it can run: gameday run {document['source']}"


def _short(name: str, columns: int) -> str:
    return name if len(name) <= columns else name[: columns - 1] + "…"


def _percent(chance: float) -> str:
    """Show 100 % only for what is certain, and 0 % only for what cannot be."""
    if 0.995 <= chance < 1:  # noqa: PLR2004 - what would round to 100
        return ">99%"
    if 0 < chance < 0.005:  # noqa: PLR2004 - what would round to 0
        return "<1%"
    return f"{chance:.0%}"


def _share(share: float) -> str:
    return f"{100 * share:.2g}%"
