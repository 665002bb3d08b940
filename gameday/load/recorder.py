"""What happened to every arrival, as counts: rows by slot of intended start, histograms by second, totals for the pulses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import ceil
from typing import Any

from gameday.load.protocol import CAPPED, GENERATOR, OK, SLOT_NS, TEXT_LIMIT, Message
from gameday.spi.histogram import bucket

LATE_NS = 50_000_000
"""An arrival that leaves more than this after its intended start is late."""
_SECOND_NS = 1_000_000_000
OTHER = "(other)"
"""The endpoint of every name beyond the first 200."""
_NAMES = 200
_SAMPLES = 20
"""How many error texts are kept of one run: the first of each endpoint and kind."""


class Recorder:
    """Counts of one run. Times are ``time.monotonic_ns()``; slots and ``at_ms`` count from ``epoch_ns``."""

    def __init__(self, *, endpoints: Sequence[str], limits_us: Sequence[int], epoch_ns: int) -> None:
        self._endpoints = list(endpoints)
        self._indexes = {name: index for index, name in enumerate(self._endpoints)}
        self._limits = tuple(sorted(set(limits_us)))
        self.epoch_ns = epoch_ns
        """The zero of the run's clock, on the clock of this machine."""
        self._in_flight: dict[int, int] = {}
        self._rows: dict[tuple[int, int, str], list[Any]] = {}
        self._histograms: dict[tuple[int, int], list[Any]] = {}
        self._lags: list[int] = []
        self._second: Counter[str] = Counter()
        self._slower: Counter[int] = Counter()
        self._texts: set[tuple[int, str]] = set()
        self._begun = 0
        self.offered = self.sent = self.completed = self.capped = self.bad = 0

    @property
    def in_flight(self) -> int:
        """How many requests are sent and not decided."""
        return len(self._in_flight)

    def endpoint(self, name: str) -> int:
        """Return the index of an endpoint that is known by its name only when it is met; from the 201st on, that of ``(other)``."""
        found = self._indexes.get(name)
        if found is None:
            if len(self._endpoints) >= _NAMES and name != OTHER:
                return self.endpoint(OTHER)
            found = self._indexes[name] = len(self._endpoints)
            self._endpoints.append(name)
        return found

    def folded(self, name: str) -> str:
        """Return the name, or ``(other)`` where there are too many."""
        return self._endpoints[self.endpoint(name)]

    def intended(self, arrival: int) -> int | None:
        """Return the intended start of a request in flight; None for one that is decided."""
        return self._in_flight.get(arrival)

    def older(self, than_ns: int) -> list[int]:
        """Return the requests in flight whose intended start is not after ``than_ns``."""
        return [arrival for arrival, intended in self._in_flight.items() if intended <= than_ns]

    def arrived(self, arrival: int, intended_ns: int) -> None:
        """Count arrival number ``arrival`` as in flight."""
        self.offered += 1
        self.sent += 1
        self._in_flight[arrival] = intended_ns

    def withdrawn(self, arrival: int) -> None:
        """Forget an arrival that was never asked of the system, or that we ourselves broke off before it had to be answered."""
        del self._in_flight[arrival]
        self.offered -= 1
        self.sent -= 1

    def capped_at(self, endpoint: int, intended_ns: int, now_ns: int) -> None:
        """Count an arrival that could not be sent because too many are in flight."""
        self.offered += 1
        self.capped += 1
        self._second["capped"] += 1
        self._row(endpoint, intended_ns, CAPPED)
        self._lag(now_ns - intended_ns)

    def left(self, intended_ns: int, now_ns: int) -> None:
        """Count a request as begun: from here on it is the system that takes time."""
        self._second["started"] += 1
        self._lag(now_ns - intended_ns)

    def began(self) -> None:
        """Count a request of the closed model as begun, which has no schedule that it could be late for."""
        self._second["started"] += 1
        self._begun += 1

    def stalled(self, lag_ns: int) -> None:
        """Note how late a timer of ours came: so late may be all that the closed model began since the last time."""
        begun, self._begun = self._begun, 0
        for _ in range(begun):
            self._lag(lag_ns)

    def _lag(self, lag: int) -> None:
        self._lags.append(max(lag, 0))
        if lag > LATE_NS:
            self._second["late"] += 1

    def _row(self, endpoint: int, intended_ns: int, kind: str) -> list[Any]:
        key = ((intended_ns - self.epoch_ns) // SLOT_NS, endpoint, kind)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = [0, {}]
        row[0] += 1
        return row

    def finished(self, arrival: int, endpoint: int, kind: str, now_ns: int) -> None:
        """Count the outcome of a request that was sent."""
        intended_ns = self._in_flight.pop(arrival)
        us = (now_ns - intended_ns) // 1000
        slower = self._row(endpoint, intended_ns, kind)[1]
        for limit in self._limits:
            if us < limit:
                break
            slower[limit] = slower.get(limit, 0) + 1
            if kind == OK:
                self._slower[limit] += 1
        self.completed += 1
        if kind != OK:
            self.bad += 1
        if kind == GENERATOR:
            self._second["generator_errors"] += 1
        self._histogram(endpoint, intended_ns, us)

    def _histogram(self, endpoint: int, intended_ns: int, us: int) -> None:
        key = ((intended_ns - self.epoch_ns) // _SECOND_NS, endpoint)
        entry = self._histograms.get(key)
        if entry is None:
            entry = self._histograms[key] = [0, 0, {}]
        entry[0] += 1
        entry[1] += us
        counts, slot = entry[2], bucket(us)
        counts[slot] = counts.get(slot, 0) + 1

    def explain(self, endpoint: int, kind: str, text: str) -> Message | None:
        """Return a log message for the first failure of its endpoint and kind, within a small number for the whole run."""
        if (endpoint, kind) in self._texts or len(self._texts) >= _SAMPLES:
            return None
        self._texts.add((endpoint, kind))
        return {"t": "log", "text": f"{self._endpoints[endpoint]}: {kind}: {text}"[:TEXT_LIMIT]}

    def pulse(self, now_ns: int) -> Message:
        """Return the running totals, and what is in flight for longer than each limit."""
        ages = [now_ns - ns for ns in self._in_flight.values() if now_ns - ns >= self._youngest_ns]
        over = {str(limit): sum(age >= limit * 1000 for age in ages) for limit in self._limits}
        return {
            "t": "pulse",
            "at_ms": self._at_ms(now_ns),
            "intended": self.offered,
            "sent": self.sent,
            "completed": self.completed,
            "capped": self.capped,
            "bad": self.bad,
            "in_flight": len(self._in_flight),
            "over": over,
            "slower": {str(limit): self._slower[limit] for limit in self._limits},
        }

    @property
    def _youngest_ns(self) -> int:
        return self._limits[0] * 1000 if self._limits else 1 << 62

    def aggregate(self) -> Message:
        """Return and forget the rows and histograms since the last call."""
        names = self._endpoints
        rows = [
            [slot, names[e], kind, count, {str(k): n for k, n in slower.items()}]
            for (slot, e, kind), (count, slower) in self._rows.items()
        ]
        hist = [
            [second, names[e], count, total / 1000, {str(k): n for k, n in buckets.items()}]
            for (second, e), (count, total, buckets) in self._histograms.items()
        ]
        self._rows, self._histograms = {}, {}
        return {"t": "agg", "rows": rows, "hist": hist}

    def tick(self, now_ns: int, *, due_ns: int, cpu: float, rss_mb: float, rate: float, users: int = 0) -> Message:
        """Return and forget the generator's account of the last second.

        Every arrival intended before ``at_ms - oldest_in_flight_ms`` is decided, and its row is in the aggregate before this tick: hence
        the next arrival, due at ``due_ns``, is in flight for this purpose as soon as it is due, and ages are rounded up.
        """
        lags, second = sorted(self._lags), self._second
        self._lags, self._second = [], Counter()
        oldest_ns = min(self._in_flight.values(), default=now_ns)
        oldest_ns = min(oldest_ns, due_ns)
        return {
            "t": "tick",
            "at_ms": self._at_ms(now_ns),
            "started": second["started"],
            "late": second["late"],
            "lag_p99_ms": round(lags[ceil(0.99 * len(lags)) - 1] / 1e6, 3) if lags else 0.0,
            "in_flight": len(self._in_flight),
            "oldest_in_flight_ms": -(-max(0, now_ns - oldest_ns) // 1_000_000),
            "capped": second["capped"],
            "generator_errors": second["generator_errors"],
            "cpu": round(max(cpu, 0.0), 4),
            "rss_mb": round(rss_mb, 1),
            "rate": rate,
            "users": users,
            "workers": 1,
            "missing": 0,
        }

    def _at_ms(self, now_ns: int) -> int:
        return (now_ns - self.epoch_ns) // 1_000_000
