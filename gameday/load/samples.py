"""samples.ndjson: what the load measured, written as it comes and read back as one LoadSeries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gameday.load.protocol import SAVED, Message, encode, parse_message
from gameday.model import Histogram, LoadRow, LoadSeries, Tick
from gameday.spi.errors import LoadError


class SampleWriter:
    """Appends the messages that are evidence; pulses and the like are left out. Flushed at every tick, which is once a second."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")

    def write(self, message: Message) -> None:
        """Append one message, if it is of those that are kept."""
        if message["t"] not in SAVED:
            return
        self._file.write(encode(message))
        if message["t"] in ("tick", "bye"):
            self._file.flush()

    def close(self) -> None:
        """Write what is buffered and close the file; safe twice."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_samples(path: Path) -> LoadSeries:
    """Read a whole file; without one, an empty series.

    A last line without its newline is torn and not counted. A malformed line is dropped, and then the stream is not whole:
    ``said_bye`` is true only when every line was read and the last word was a ``bye`` after which nothing was left in flight.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return LoadSeries()
    torn = lines.pop()
    messages: list[Message] = []
    whole = not torn
    for line in lines:
        try:
            messages.append(parse_message(line))
        except LoadError:
            whole = False
    last = messages[-1] if messages else {}
    return to_series(messages, said_bye=whole and last.get("t") == "bye" and bool(last.get("drained")))


def to_series(messages: Iterable[Message], *, said_bye: bool) -> LoadSeries:
    """Merge messages: rows and histograms of the same key are added up, in order of time, endpoint and kind."""
    rows: defaultdict[tuple[int, str, str], list[Any]] = defaultdict(lambda: [0, {}])
    histograms: defaultdict[tuple[int, str], list[Any]] = defaultdict(lambda: [0, 0.0, {}])
    ticks: list[Tick] = []
    for message in messages:
        if message["t"] == "tick":
            ticks.append(_tick(message))
        elif message["t"] == "agg":
            for slot, endpoint, kind, count, slower in message["rows"]:
                row = rows[slot, endpoint, kind]
                row[0] += count
                _add(row[1], slower)
            for second, endpoint, count, sum_ms, buckets in message["hist"]:
                entry = histograms[second, endpoint]
                entry[0] += count
                entry[1] += sum_ms
                _add(entry[2], buckets)
    return LoadSeries(
        rows=tuple(
            LoadRow(slot=slot, endpoint=endpoint, kind=kind, count=count, slower=slower)
            for (slot, endpoint, kind), (count, slower) in sorted(rows.items())
        ),
        histograms=tuple(
            Histogram(second=second, endpoint=endpoint, count=count, sum_ms=sum_ms, buckets=buckets)
            for (second, endpoint), (count, sum_ms, buckets) in sorted(histograms.items())
        ),
        ticks=tuple(ticks),
        said_bye=said_bye,
    )


def _add(into: dict[int, int], counts: Mapping[str, int]) -> None:
    for key, count in counts.items():
        into[int(key)] = into.get(int(key), 0) + count


def _tick(message: Message) -> Tick:
    return Tick(
        at_ms=message["at_ms"],
        started=message["started"],
        late=message["late"],
        lag_p99_ms=message["lag_p99_ms"],
        in_flight=message["in_flight"],
        oldest_in_flight_ms=message["oldest_in_flight_ms"],
        capped=message["capped"],
        generator_errors=message["generator_errors"],
        cpu=message["cpu"],
        rss_mb=message["rss_mb"],
        rate=message["rate"],
    )
