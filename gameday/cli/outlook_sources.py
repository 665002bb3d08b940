"""What the sources of an experiment say before the run: whether they answer, how often they scrape, how much they count."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from gameday.judge.counterchance import Known
from gameday.registry import load_probe
from gameday.schema.experiment import Experiment, Sli
from gameday.schema.source import NEEDED
from gameday.schema.sources import source_of
from gameday.spi import Evidence, GamedayError, ProbeError, Witness, World

_LATELY_SECONDS = 300.0
"""How far back is looked for an interval and a rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One SLI that asks a source, and what came of asking it now."""

    sli: str
    source: str
    error: str = ""
    known: Known | None = None
    """Of two counters that were scraped lately."""
    absent: str = ""
    """Which of the two has no series, and is taken as zero because the file says so."""

    def to_json(self) -> dict[str, Any]:
        """As `gameday plan --format json` has it."""
        return {
            "sli": self.sli,
            "source": self.source,
            "answers": not self.error,
            "error": self.error or None,
            "interval_ms": self.known.interval_ms if self.known else None,
            "absent": self.absent or None,
            "rate": round(self.known.rate, 3) if self.known else None,
        }


def look(experiment: Experiment, world: World) -> list[Look]:
    """Ask each source once for each SLI that needs it; what a run itself would start may not be there yet."""
    return [_look(name, sli, experiment, world) for name, sli in experiment.slis.items() if sli.kind in NEEDED]


def _look(name: str, sli: Sli, experiment: Experiment, world: World) -> Look:
    source = source_of(experiment, sli.kind, sli.source)
    asked = replace(world, source_name=sli.source or "")
    try:
        probe = load_probe(sli.kind, sli.params)
        if not sli.is_ratio or not isinstance(probe, Witness):
            _within(probe.timeout, lambda: probe.read(asked))
            return Look(sli=name, source=source)
        now = time.time()
        found = _within(probe.timeout, lambda: probe.fetch(asked, now - _LATELY_SECONDS, now))
    except GamedayError as error:
        return Look(sli=name, source=source, error=world.secrets.mask(str(error)))
    if found.interval is None:
        return Look(sli=name, source=source, error="it answers, and knows neither counter yet")
    absent = next((part for part in ("bad", "good", "sum") if part in found.parts and not found.parts[part]), "")
    if absent and sli.params.get("absent") != "zero":
        return Look(
            sli=name, source=source, error=f"{absent} has no series, which is no data; absent: zero takes it as none"
        )
    known = Known(round(1000 * found.interval), _rate(found))
    return Look(sli=name, source=source, known=known, absent=absent)


def _rate(found: Evidence) -> float:
    """Return what the denominator grew by per second over all of its samples, beginnings anew left out."""
    lines = found.parts.get("total") or found.parts.get("per") or ()
    return sum(_grown(line.samples) for line in lines)


def _grown(samples: Any) -> float:
    if len(samples) < 2:  # noqa: PLR2004 - a rate has two ends
        return 0.0
    grown = sum(max(0.0, later - earlier) for (_, earlier), (_, later) in pairwise(samples))
    return float(grown / (samples[-1][0] - samples[0][0]))


def _within(seconds: float, ask: Callable[[], Any]) -> Any:
    """Ask in a thread that is left behind when it does not come back."""
    found: list[Any] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            found.append(ask())
        except Exception as error:  # noqa: BLE001 - a stranger's probe may raise anything, and this thread tells it on
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds + 0.5)
    if failed:
        error = failed[0]
        raise error if isinstance(error, GamedayError) else ProbeError(f"{type(error).__name__}: {error}")
    if not found:
        raise ProbeError(f"no answer within {seconds:g} s")
    return found[0]


def sentences(looks: list[dict[str, Any]]) -> Iterator[str]:
    """Say each look in a line."""
    for one in looks:
        if not one["answers"]:
            yield f"{one['source']} says nothing of {one['sli']} now: {one['error']}"
        elif one["interval_ms"] is not None:
            yield f"{one['source']} scrapes {one['sli']} every {one['interval_ms'] / 1000:g} s, lately {one['rate']:g} requests/s"
            if one["absent"]:
                yield f"  {one['absent']} of {one['sli']} has no series, and absent: zero takes it as none: see that it is spelt right"
        else:
            yield f"{one['source']} answers for {one['sli']}"
