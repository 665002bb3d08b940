"""Frozen values every layer shares, and the verdict algebra; no I/O, no clock, no randomness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]
"""A JSON object: what a driver plans, what the journal holds, what a verdict is written as."""


class Verdict(IntEnum):
    """What a run proved, ordered by seriousness, so that ``max`` merges verdicts."""

    PASS = 0
    INCONCLUSIVE = 1
    FAIL = 2
    ABORTED = 3
    DIRTY = 4

    @property
    def word(self) -> str:
        """The word every output uses: ``pass``, ``inconclusive``, ``fail``, ``aborted`` or ``dirty``."""
        return self.name.lower()

    @property
    def exit_code(self) -> int:
        """The process exit code that stands for this verdict."""
        return _EXIT_CODES[self]

    @classmethod
    def from_word(cls, word: str) -> Verdict:
        """Read a verdict back; raise ``KeyError`` for any other word."""
        return cls[word.upper()]


_EXIT_CODES = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3, Verdict.ABORTED: 4, Verdict.DIRTY: 5}
EXIT_USAGE = 2
"""The file or the command line is wrong; nothing was touched."""
EXIT_NOT_NOW = 6
"""The schedule of a game day refuses it now (``gameday day run --scheduled``); nothing was touched, and nothing is proven."""
EXIT_INTERNAL = 70
"""A bug of ours (EX_SOFTWARE of sysexits.h)."""


class Reason(StrEnum):
    """Why a verdict is what it is: a closed list, printed with every verdict."""

    PROVEN = "proven"
    BROKEN = "broken"
    NEAR_LIMIT = "near-limit"
    TOO_FEW = "too-few"
    TOO_SHORT = "too-short"
    NO_DATA = "no-data"
    STALE = "stale"
    QUERY_ERROR = "query-error"
    BASELINE = "baseline"
    LOAD_GENERATOR = "load-generator"
    NOT_READY = "not-ready"
    ACTION_FAILED = "action-failed"
    FAULT_UNPROVEN = "fault-unproven"
    NOT_RECOVERED = "not-recovered"
    SKIPPED = "skipped"
    ALERT_BEFORE = "alert-before"
    GUARD = "guard"
    PERSON = "person"
    SIGNAL = "signal"
    RUNNER_LOST = "runner-lost"
    WATCHDOG_LOST = "watchdog-lost"
    RESIDUE = "residue"
    REFUSED = "refused"
    POLICY = "policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRef:
    """One process and no other: a pid is recycled, a pid with its start time and boot is not."""

    pid: int
    start: int
    """Clock ticks since boot (field 22 of /proc/PID/stat); off Linux, microseconds since the epoch."""
    boot_id: str = ""

    def to_json(self) -> dict[str, Any]:
        """As a plan keeps it."""
        return {"pid": self.pid, "start": self.start, "boot_id": self.boot_id}

    @classmethod
    def from_json(cls, raw: Json) -> ProcessRef:
        """As a plan gives it back; raise ``KeyError`` when a part is missing."""
        return cls(pid=int(raw["pid"]), start=int(raw["start"]), boot_id=str(raw["boot_id"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a driver will touch and how to undo it: data alone, enough to revert from another process.

    It survives a JSON round trip and holds references to secrets (``${name}``), never their values.
    """

    driver: str
    targets: tuple[str, ...]
    """Exactly what would be touched, in words a person recognises."""
    undo: Json = field(default_factory=dict[str, Any])
    holds: tuple[str, ...] = ()
    """Names under ``system:`` that must not be restarted while this fault is on."""
    ready: int | None = None
    """How many of the targets' kind are ready now, the targets among them: what ``keep_ready`` counts; None where nobody counts."""
    replaced: int | None = None
    """How many of those that it takes away something should replace; 0 where nothing will, None where nobody looks."""

    def to_json(self) -> dict[str, Any]:
        """As the journal writes it."""
        raw = {"driver": self.driver, "targets": list(self.targets), "undo": dict(self.undo), "holds": list(self.holds)}
        counts = {"ready": self.ready, "replaced": self.replaced}
        return {**raw, **{key: count for key, count in counts.items() if count is not None}}

    @classmethod
    def from_json(cls, raw: Json) -> Plan:
        """As the journal reads it; raise ``KeyError`` when a part is missing."""
        return cls(
            driver=str(raw["driver"]),
            targets=tuple(raw["targets"]),
            undo=dict(raw["undo"]),
            holds=tuple(raw.get("holds", ())),
            ready=None if raw.get("ready") is None else int(raw["ready"]),
            replaced=None if raw.get("replaced") is None else int(raw["replaced"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One whole record of the journal."""

    seq: int
    kind: str
    at_ms: int
    """Milliseconds of the run's monotonic clock; zero is the journal's ``opened`` record."""
    wall: float
    """Seconds since the epoch, UTC; for people, never for durations."""
    data: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRow:
    """Requests that share a 100 ms slot of intended start, an endpoint and a kind of outcome."""

    slot: int
    """Intended start in units of 100 ms of the run's clock: ``at_ms // 100``."""
    endpoint: str
    kind: str
    """``ok``, ``capped`` (could not be sent), or one of the closed list of error kinds in docs/run-folder.md."""
    count: int
    slower: Mapping[int, int] = field(default_factory=dict[int, int])
    """Latency limit in µs → how many of these requests took that long or longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Latencies of one second and endpoint, for charts only: no verdict ever reads it."""

    second: int
    endpoint: str
    count: int
    sum_ms: float
    buckets: Mapping[int, int]
    """Log-linear bucket key → count; see gameday.spi.histogram."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One second of the load generator's account of itself."""

    at_ms: int
    started: int
    late: int
    """Requests of this second that left more than 50 ms after their intended start."""
    lag_p99_ms: float
    in_flight: int
    oldest_in_flight_ms: int
    capped: int
    generator_errors: int
    cpu: float
    """Share of one core, 0 to 1, over this second."""
    rss_mb: float = 0.0
    rate: float = 0.0
    users: int = 0
    """Users at work; 0 in the open model."""
    workers: int = 1
    """Load generators that measured and told of this second."""
    missing: int = 0
    """Load generators that are lost, silent, without a known clock or not ours: what they sent is not in the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSeries:
    """Everything the load generator reported in one run."""

    rows: tuple[LoadRow, ...] = ()
    histograms: tuple[Histogram, ...] = ()
    ticks: tuple[Tick, ...] = ()
    said_bye: bool = False
    """Its last message arrived: the stream is whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeSample:
    """One reading of an SLI, or the attempt at one."""

    sli: str
    at_ms: int
    """When the read began."""
    value: float | None
    """What was read; None when nothing was."""
    error: str = ""
    """Why nothing was read; empty when something was."""
    took_ms: int = 0
    """From the beginning of the read to its end: what was read was true at some moment between."""
    wrong: bool = False
    """The source answered, but the question is wrong: no such member, not a number."""
    stale: bool = False
    """The source answered with what it knew long ago."""

    @property
    def end_ms(self) -> int:
        """When the read was over."""
        return self.at_ms + self.took_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One series that a witness had, on the run's clock."""

    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    samples: tuple[tuple[int, float], ...] = ()
    """(milliseconds of the run's clock, value), in order; what was before the run is negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Testimony:
    """What one witness said when it was asked, or why it said nothing."""

    name: str
    """The SLI or the objective that it speaks for."""
    of: str = ""
    """Which of the two it is, ``sli`` or ``objective``: they may have the same name; empty where that is plain."""
    at_ms: int
    """When it was asked."""
    from_ms: int
    to_ms: int
    """Which stretch of the run it was asked about."""
    parts: Mapping[str, tuple[Track, ...]] = field(default_factory=dict[str, "tuple[Track, ...]"])
    """What was asked for → its series: none where the source has none."""
    facts: Json = field(default_factory=dict[str, Any])
    error: str = ""
    """Why nothing was learnt; empty when something was."""
    wrong: bool = False
    """The source answered, but not to this question: asking again will not help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLook:
    """One look at an alert while the run was on, or the attempt at one."""

    objective: str
    source: str
    """A name under ``sources:``."""
    at_ms: int
    """When the look began."""
    every_ms: int
    """How soon the next one was due."""
    took_ms: int = 0
    state: str = ""
    """``inactive``, ``pending``, ``firing`` or ``suppressed`` (it fires, and nobody is told); empty when nothing was seen."""
    since_ms: int | None = None
    """When it began to fire, by the source's clock; None where the source does not say."""
    evaluated_ms: int | None = None
    """When its rule was last evaluated, by the source's clock; None where the source has no rules."""
    interval_ms: int = 0
    """How often the rule is evaluated; 0 where it is not known."""
    error: str = ""
    """Why nothing was seen, or why the rule could not be evaluated; empty when all is well."""
    wrong: bool = False
    """The source answered, but the question is wrong: it has no such rule, or cannot evaluate it."""

    @property
    def end_ms(self) -> int:
        """When the look was over."""
        return self.at_ms + self.took_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run folder, read: all that judging and reporting need, and nothing that can change."""

    name: str
    """The folder's name, which is also the run id."""
    experiment: Json
    """The resolved experiment, in the grammar of the file; secrets stay references."""
    plan: Json
    events: tuple[Event, ...]
    head: str
    """SHA-256 of the journal's last whole line, in hex."""
    closed: bool
    """The journal ends with its ``closed`` record."""
    torn: bool = False
    load: LoadSeries = LoadSeries()
    gauges: tuple[GaugeSample, ...] = ()
    """Every reading of every SLI, in order of time."""
    testimonies: tuple[Testimony, ...] = ()
    """What the witnesses said, in the order in which they were asked."""
    alerts: tuple[AlertLook, ...] = ()
    """Every look at every alert, in order of time."""
    verdict: Json | None = None
    """verdict.json, once it has been written."""
    previous: Json | None = None
    """previous.json, where an earlier run of the same experiment was found: only shown, never judged."""
    remarks: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """What people added in findings.yaml: fingerprint → ``owner``, ``due``, ``ticket``, ``action``, ``kind``, ``cause``, ``note``."""
    remarks_wrong: tuple[str, ...] = ()
    """What is wrong with that file, one error each, for people."""

    def of_kind(self, *kinds: str) -> tuple[Event, ...]:
        """Return the events of these kinds, in order."""
        return tuple(event for event in self.events if event.kind in kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class GameDay:
    """One folder of a game day, read: all that its postmortem needs, and nothing that can change."""

    name: str
    """The folder's name."""
    day: Json
    """day.json: the file with its variables put in, where it came from."""
    events: tuple[Event, ...]
    head: str
    """SHA-256 of the journal's last whole line, in hex."""
    closed: bool
    torn: bool = False
    verdict: Json | None = None
    """verdict.json, once it has been written."""
    runs: Mapping[str, Run] = field(default_factory=dict[str, Run])
    """``runs/<run>`` → that run, judged; a folder that cannot be read is missing."""

    def of_kind(self, *kinds: str) -> tuple[Event, ...]:
        """Return the events of these kinds, in order."""
        return tuple(event for event in self.events if event.kind in kinds)
