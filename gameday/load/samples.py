"""samples.ndjson: what the load and the probes measured, written as it comes and read back."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gameday.load.alertlines import ALERT, alert_line
from gameday.load.protocol import SAVED, Message, encode, parse_message
from gameday.load.testimony import WITNESS, testimony_line
from gameday.model import AlertLook, GaugeSample, Histogram, LoadRow, LoadSeries, Testimony, Tick
from gameday.spi.errors import LoadError

_GAUGE = b'{"t":"gauge",'
"""How each reading of a probe begins: the load's lines are many, and are not looked at to find it."""
_ERROR_LIMIT = 300
"""Characters that are kept of why nothing was read."""


class SampleWriter:
    """Appends the messages that are evidence; pulses and the like are left out. Flushed at every tick, which is once a second."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab")

    def write(self, message: Message) -> None:
        """Append one message, if it is of those that are kept."""
        if message["t"] not in SAVED:
            return
        self._file.write(encode(message))
        if message["t"] in ("tick", "bye"):
            self._file.flush()

    def write_gauge(self, sample: GaugeSample) -> None:
        """Append one reading, at once on its way to the disk; nothing once the file is closed."""
        if not self._file.closed:
            self._file.write(encode(_gauge_line(sample)))
            self._file.flush()

    def write_alert(self, look: AlertLook) -> None:
        """Append one look at an alert, at once on its way to the disk; nothing once the file is closed."""
        if not self._file.closed:
            self._file.write(encode(alert_line(look)))
            self._file.flush()

    def write_testimony(self, testimony: Testimony) -> None:
        """Append what a witness said, even after the load has ended and the file was closed."""
        line = encode(testimony_line(testimony))
        if not self._file.closed:
            self._file.write(line)
            self._file.flush()
            return
        with self._path.open("ab") as file:
            file.write(line)

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
    """Read the load's part of a whole file; without one, an empty series.

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
        if line.startswith((_GAUGE, WITNESS, ALERT)):
            continue
        try:
            messages.append(parse_message(line))
        except LoadError:
            whole = False
    last = messages[-1] if messages else {}
    return to_series(messages, said_bye=whole and last.get("t") == "bye" and bool(last.get("drained")))


def read_gauges(path: Path) -> tuple[GaugeSample, ...]:
    """Read the probes' part of a whole file, in order of time; a torn or malformed line is no reading."""
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return ()
    read = (_gauge(line) for line in lines if line.startswith(_GAUGE))
    return tuple(sorted((sample for sample in read if sample is not None), key=lambda s: (s.at_ms, s.sli)))


def _gauge_line(sample: GaugeSample) -> dict[str, Any]:
    line: dict[str, Any] = {"t": "gauge", "sli": sample.sli, "at_ms": sample.at_ms, "took_ms": sample.took_ms}
    if sample.value is not None:
        return {**line, "value": sample.value}
    flags = {name: True for name, on in (("wrong", sample.wrong), ("stale", sample.stale)) if on}
    return {**line, "error": sample.error[:_ERROR_LIMIT], **flags}


def _gauge(line: bytes) -> GaugeSample | None:
    """Read one line back; None for one that is damaged: a reading that cannot be trusted is missing."""
    try:
        raw: dict[str, Any] = json.loads(line)
        value = None if raw.get("value") is None else float(raw["value"])
        if value is not None and not math.isfinite(value):
            return None
        return GaugeSample(
            sli=str(raw["sli"]),
            at_ms=int(raw["at_ms"]),
            value=value,
            error=str(raw.get("error", "")),
            took_ms=max(0, int(raw["took_ms"])),
            wrong=raw.get("wrong") is True,
            stale=raw.get("stale") is True,
        )
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None


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
        users=message.get("users", 0),
        workers=message.get("workers", 1),
        missing=message.get("missing", 0),
    )
