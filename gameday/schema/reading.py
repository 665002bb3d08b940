"""One experiment file while it is read: tree → variables put in → models → what sections say about each other → drivers, probes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gameday.schema.baseline import check_baseline
from gameday.schema.document import Document
from gameday.schema.errors import DriverCheck, Located, ProbeCheck, Span
from gameday.schema.experiment import Experiment
from gameday.schema.faultlist import put_off
from gameday.schema.faults import check_fault
from gameday.schema.files import check_files
from gameday.schema.gauges import check_slis, kind_first
from gameday.schema.marks import Mistake
from gameday.schema.nodes import Entries, Items, as_list, as_mapping, child, locate, pairs, plain, texts
from gameday.schema.notify import check_channels
from gameday.schema.parts import parts_of
from gameday.schema.power import Unprovable, compared
from gameday.schema.references import check_references
from gameday.schema.shape import Shaped
from gameday.schema.silence import SILENCE
from gameday.schema.silences import check_silences
from gameday.schema.slofiles import settle_burns
from gameday.schema.sources import check_sources
from gameday.schema.variables import Substitution, Variables, references
from gameday.schema.wording import word


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What faults and gauges are checked against; None leaves it out."""

    drivers: DriverCheck | None = None
    probes: ProbeCheck | None = None


@dataclass(slots=True, kw_only=True)
class Reading:
    """One combination of one file while it is read."""

    document: Document
    shaped: Shaped
    variables: Variables
    builtins: Mapping[str, str]
    checks: Checks
    used_at: Mapping[int, Span]
    """Number of a fragment's places → where the experiment file asks for it."""
    silence: tuple[str, ...] = ()
    """Alerts that are silenced beside those of the file: a game day's."""
    root: Entries = field(default_factory=lambda: Entries(span=Span(1, 1)))

    def read(self) -> Experiment | None:
        """Return the experiment; None when something is wrong, which is noted in the document."""
        before = len(self.document.errors)
        raw = self._resolved()
        settle_burns(self.document, self.root, raw)
        checked = self._check_faults(raw)
        check_slis(self.document, self.root, raw, self.checks.probes)
        check_sources(self.document, self.root, raw, self.checks.probes)
        check_references(self.document, self.root, parts_of(raw))
        check_files(self.document, self.root)
        check_channels(self.document, self.root, raw)
        check_silences(self.document, self.root, raw)
        mistakes: list[Mistake] = []
        experiment = Experiment.read(raw, (), mistakes)
        if experiment is not None and experiment.baseline is not None:
            wanted = {name: compared(objective) for name, objective in experiment.objectives.items()}
            check_baseline(self.document, self.root, experiment.title, wanted)
        self._note(mistakes, checked)
        if mistakes and not self.document.errors:
            self._note(mistakes, set())
        return experiment if len(self.document.errors) == before else None

    def _resolved(self) -> dict[str, Any]:
        """Put the variables in, and return the file as plain data; ``root`` is the same with its places."""
        substitution = Substitution(document=self.document, variables=self.variables, builtins=self.builtins)
        self.root = kind_first(substitution.resolve(self.shaped.root), self.checks.probes)
        delays = {index: tuple(map(substitution.value, values)) for index, values in self.shaped.delays.items()}
        put_off(self.document, self.root, delays)
        raw: dict[str, Any] = plain(self.root)
        own = as_list(raw.get(SILENCE))
        return {**raw, SILENCE: list(dict.fromkeys((*own, *self.silence)))} if self.silence else raw

    def _check_faults(self, raw: Mapping[str, Any]) -> set[int]:
        """Check each fault against its driver; return the indices whose times were checked, too."""
        if self.checks.drivers is None:
            return set()
        return {
            index
            for index, fault in enumerate(as_list(raw.get("faults")))
            if not self._unresolved(fault) and check_fault(self.document, self.root, index, fault, self.checks.drivers)
        }

    def _note(self, mistakes: list[Mistake], checked: set[int]) -> None:
        """Note mistakes at their places, but for what was already said better."""
        for mistake in mistakes:
            path = mistake.path
            match path:
                case ("faults", int(index)):
                    said = index in checked and mistake.kind == "value"
                case ("objectives",) | ("faults",):
                    said = mistake.kind in ("missing", "empty")
                case ():
                    said = bool(self.document.errors)
                case _:
                    said = False
            if said or (isinstance(mistake.value, str) and self._unresolved(mistake.value)):
                continue
            wording = word(mistake, path, self.root)
            span = locate(self.root, path, key=wording.at_key)
            self.document.add(span, wording.code, wording.message, wording.hint)

    def _unresolved(self, value: Any) -> bool:
        """Whether a variable is left in it that is no secret: said where it was read."""
        if isinstance(value, str):
            return any(name not in self.variables.secrets for name in references(value))
        return any(self._unresolved(part) for part in (*as_mapping(value).values(), *as_list(value)))

    def lines(self) -> dict[str, int]:
        """Return where each objective and fault stands in the experiment file: what another file says where it is used."""
        found = {"title": locate(self.root, ("title",)).line}
        for name, span, _ in pairs(self.root.get("objectives")):
            found[f"objectives.{name}"] = self.used_at.get(span.file, span).line
        faults = self.root.get("faults")
        for fault in faults.items if isinstance(faults, Items) else ():
            for span, name in texts(child(fault, "name")):
                found[f"faults.{name}"] = self.used_at.get(span.file, span).line
        return found

    def warning(self, item: Unprovable) -> Located:
        """Say at the objective what no run could prove."""
        span = locate(self.root, ("objectives", item.objective), key=True)
        if item.needed is None:
            why, hint = "it allows no bad request at all", "allow a small share, like 0.1%"
        else:
            why = f"the {item.phase} phase offers {item.expected:,} requests, and it takes {item.needed:,}"
            hint = "raise load.rate, lengthen the faults, or widen the objective"
        message = f"{item.criterion!r} can never be proven: {why}"
        return replace(self.document.located(span, "too-few", message, hint), level="warning")

    def closed_model(self, experiment: Experiment) -> tuple[Located, ...]:
        """Warn of shares that users of the closed model feed: while the system stalls, they ask for less."""
        load, criteria = experiment.load, [c for o in experiment.objectives.values() for c in o.during_criteria]
        if load is None or load.open_model or all(criterion.exact or not criterion.of_load for criterion in criteria):
            return ()
        level = next(key for key in ("users", "stages", "shape") if getattr(load, key) is not None)
        span = locate(self.root, ("load", level), key=True)
        message = (
            "users wait for their answers: while the system stalls they ask for less, and it looks better than it is"
        )
        hint = "write rate: for arrivals that come whatever the system does"
        return (replace(self.document.located(span, "closed-model", message, hint), level="warning"),)
