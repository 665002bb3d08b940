"""A file → an Experiment that can be run, or everything that is wrong with it.

One pass: YAML → tree with places → variables put in → models → what sections say about each other → drivers. Only a file
that is no YAML stops at its first error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gameday.schema.document import Document, split_lines
from gameday.schema.errors import DriverCheck, ExperimentErrors, Located, Span
from gameday.schema.experiment import Experiment
from gameday.schema.faults import check_fault
from gameday.schema.nodes import Entries, Items, as_list, as_mapping, child, locate, pairs, plain, texts
from gameday.schema.parts import parts_of
from gameday.schema.power import Unprovable, never_provable
from gameday.schema.references import check_references
from gameday.schema.shape import shape
from gameday.schema.variables import SAMPLE_BUILTINS, Given, Substitution, declare, references
from gameday.schema.wording import word
from gameday.schema.yamlfile import parse, read_bytes
from gameday.spi.world import Secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A valid file."""

    path: Path
    text: bytes
    """The file, byte for byte, as the run folder keeps it."""
    experiment: Experiment
    secrets: Secrets
    lines: Mapping[str, int]
    """``objectives.NAME``, ``faults.NAME`` and ``title`` → line, counted from 1."""
    declared: frozenset[str]
    """Every variable that the file declares, so that a misspelt ``--var`` can be refused."""
    needed: tuple[str, ...] = ()
    """Secrets without a value: a run needs them."""
    unprovable: tuple[Unprovable, ...] = ()
    """What no run of this file could prove: such a run is refused."""
    warnings: tuple[Located, ...] = ()

    def strict_errors(self) -> tuple[Located, ...]:
        """Return what ``validate --strict`` asks for beyond a valid file: a hypothesis and an owner."""
        document = Document(path=str(self.path), lines=split_lines(self.text.decode("utf-8-sig")))
        for key, why in (("hypothesis", "what do you expect to happen?"), ("owner", "who is told what was found?")):
            if not getattr(self.experiment, key):
                document.add(Span(self.lines["title"], 1, len("title")), "missing-key", f"missing key {key!r}: {why}")
        return tuple(document.errors)


def load_experiment(
    path: str | Path,
    *,
    variables: Mapping[str, str] | None = None,
    secret_values: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    builtins: Mapping[str, str] | None = None,
    require_values: bool = True,
    drivers: DriverCheck | None = None,
) -> Loaded:
    """Read an experiment file; raise ExperimentErrors that holds everything that is wrong with it.

    ``variables`` are from ``--var``, ``secret_values`` from variable files (secrets and others), ``builtins`` are the
    values of ``run.id`` and ``run.seed`` (samples by default). With ``require_values`` a secret without a value is an
    error; otherwise it is listed as ``needed``. ``drivers`` (registry.load_driver) checks each fault against its driver.
    """
    source = Path(path)
    data = read_bytes(source)
    given = Given(variables=variables or {}, secret_values=secret_values or {}, environ=environ or {})
    reading = _Reading(
        document=parse(str(path), data), builtins={**SAMPLE_BUILTINS, **(builtins or {})}, drivers=drivers
    )
    experiment = reading.read(given, require_values=require_values)
    secrets = reading.secrets
    unprovable = tuple(never_provable(experiment))
    return Loaded(
        path=source,
        text=data,
        experiment=experiment,
        secrets=Secrets(values={name: value for name, value in secrets.items() if value is not None}),
        lines=reading.lines(),
        declared=reading.declared,
        needed=tuple(name for name, value in secrets.items() if value is None),
        unprovable=unprovable,
        warnings=tuple(reading.warning(item) for item in unprovable),
    )


def read_secrets(path: str | Path, environ: Mapping[str, str]) -> Secrets:
    """Return the file's secrets that the environment has; nothing else of the file is looked at, and nothing is refused.

    `gameday recover` takes them from the environment again, because a run folder holds references only.
    """
    document = parse(str(path), read_bytes(Path(path)))
    _, section = shape(document)
    found = declare(document, section, Given(variables={}, secret_values={}, environ=environ), require_values=False)
    return Secrets(values={name: value for name, value in found.secrets.items() if value is not None})


@dataclass(slots=True, kw_only=True)
class _Reading:
    """One file while it is read."""

    document: Document
    builtins: Mapping[str, str]
    drivers: DriverCheck | None
    root: Entries = field(default_factory=lambda: Entries(span=Span(1, 1)))
    secrets: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"], repr=False)
    declared: frozenset[str] = frozenset()

    def read(self, given: Given, *, require_values: bool) -> Experiment:
        shaped, section = shape(self.document)
        variables = declare(self.document, section, given, require_values=require_values)
        self.secrets, self.declared = variables.secrets, frozenset(variables.names)
        substitution = Substitution(document=self.document, variables=variables, builtins=self.builtins)
        self.root = substitution.resolve(shaped)
        raw: dict[str, Any] = plain(self.root)
        checked = self._check_faults(raw)
        check_references(self.document, self.root, parts_of(raw))
        experiment: Experiment | None = None
        try:
            experiment = Experiment.model_validate(raw)
        except ValidationError as errors:
            self._note(errors, checked)
        if experiment is None or self.document.errors:
            raise ExperimentErrors(self.document.errors)
        return experiment

    def _check_faults(self, raw: Mapping[str, Any]) -> set[int]:
        """Check each fault against its driver; return the indices whose times were checked, too."""
        if self.drivers is None:
            return set()
        return {
            index
            for index, fault in enumerate(as_list(raw.get("faults")))
            if not self._unresolved(fault) and check_fault(self.document, self.root, index, fault, self.drivers)
        }

    def _note(self, errors: ValidationError, checked: set[int]) -> None:
        """Note pydantic's errors at their places, but for what was already said better."""
        for error in errors.errors(include_url=False):
            path = tuple(error["loc"])
            match path:
                case ("faults", int(index)):
                    better = index in checked and error["type"] == "value_error"
                case _:
                    better = False
            said = path in (("objectives",), ("faults",)) and error["type"] in ("missing", "too_short")
            if said or better or (isinstance(error["input"], str) and self._unresolved(error["input"])):
                continue
            wording = word(error, path, self.root)
            span = locate(self.root, path, key=wording.at_key)
            self.document.add(span, wording.code, wording.message, wording.hint)

    def _unresolved(self, value: Any) -> bool:
        """Whether a variable is left in it that is no secret: said where it was read."""
        if isinstance(value, str):
            return any(name not in self.secrets for name in references(value))
        return any(self._unresolved(part) for part in (*as_mapping(value).values(), *as_list(value)))

    def lines(self) -> dict[str, int]:
        found = {"title": locate(self.root, ("title",)).line}
        for name, span, _ in pairs(self.root.get("objectives")):
            found[f"objectives.{name}"] = span.line
        faults = self.root.get("faults")
        for fault in faults.items if isinstance(faults, Items) else ():
            for span, name in texts(child(fault, "name")):
                found[f"faults.{name}"] = span.line
        return found

    def warning(self, item: Unprovable) -> Located:
        span = locate(self.root, ("objectives", item.objective), key=True)
        if item.needed is None:
            why, hint = "it allows no bad request at all", "allow a small share, like 0.1%"
        else:
            why = f"the fault phase offers {item.expected:,} requests, and it takes {item.needed:,}"
            hint = "raise load.rate, lengthen the faults, or widen the objective"
        message = f"{item.criterion!r} can never be proven: {why}"
        return replace(self.document.located(span, "too-few", message, hint), level="warning")
