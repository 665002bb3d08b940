"""A file → the experiments that it describes, or everything that is wrong with it.

One pass: YAML → tree with places → fragments in their place → for each combination of the matrix, what gameday.schema.reading
does. Only a file that is no YAML stops at its first error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from gameday.schema.chaosfile import as_experiment, check_chaos, declared, find_line, read_chaos
from gameday.schema.document import Document, split_lines
from gameday.schema.errors import DriverCheck, ExperimentErrors, Located, ProbeCheck, Span
from gameday.schema.experiment import Experiment
from gameday.schema.fragments import Fragments
from gameday.schema.matrix import Combination, as_text, bound, combinations
from gameday.schema.nodes import Node, find
from gameday.schema.power import Unprovable, never_provable
from gameday.schema.reading import Checks, Reading
from gameday.schema.shape import shape, top_of
from gameday.schema.variables import SAMPLE_BUILTINS, Given, Variables, declare
from gameday.schema.yamlfile import parse, read_bytes
from gameday.spi.world import Secrets

Builtins = Mapping[str, str] | Callable[[int], Mapping[str, str]]
"""Values of ``run.id`` and ``run.seed``; or what gives them for the combination of that index."""


def files_digest(text: bytes, fragments: Mapping[str, bytes]) -> str:
    """Return the SHA-256 in hex of a file; with fragments, of the file and of each one's path, length and bytes."""
    from hashlib import sha256  # noqa: PLC0415 - a file that is only checked needs none

    digest = sha256(text)
    for name, data in sorted(fragments.items()):
        digest.update(f"\n{name}\n{len(data)}\n".encode() + data)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A valid file, or one combination of a valid file with a matrix."""

    path: Path
    text: bytes
    """The file, byte for byte, as the run folder keeps it."""
    experiment: Experiment
    secrets: Secrets
    lines: Mapping[str, int]
    """``objectives.NAME``, ``faults.NAME`` and ``title`` → line, counted from 1."""
    declared: frozenset[str]
    """Every variable that the file declares, so that a misspelt ``--var`` can be refused."""
    variant: Mapping[str, str] = field(default_factory=dict[str, str])
    """Name → value of this combination of ``matrix:``; empty without one."""
    fragments: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    """The files that it uses, byte for byte, by their path below the experiment's folder, or ``library/…``."""
    sample: Experiment | None = None
    """The same with samples of run.id and run.seed, where the file uses them: what is alike in all of its runs."""
    needed: tuple[str, ...] = ()
    """Secrets without a value: a run needs them."""
    unprovable: tuple[Unprovable, ...] = ()
    """What no run of this file could prove: such a run is refused."""
    warnings: tuple[Located, ...] = ()
    chaos: bool = False
    """It is a Chaos Toolkit experiment, which runs as it is."""

    @property
    def digest(self) -> str:
        """SHA-256 in hex of the file; with fragments, of the file and of each fragment's path, length and bytes."""
        return files_digest(self.text, self.fragments)

    def strict_errors(self) -> tuple[Located, ...]:
        """Return what ``validate --strict`` asks for beyond a valid file of ours: a hypothesis and an owner."""
        if self.chaos:
            return ()
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
    builtins: Builtins | None = None,
    require_values: bool = True,
    drivers: DriverCheck | None = None,
    probes: ProbeCheck | None = None,
    library: Path | None = None,
) -> Loaded:
    """Read a file that is one experiment; raise ExperimentErrors as load_experiments does, or for a matrix of several."""
    found, *others = load_experiments(
        path,
        variables=variables,
        secret_values=secret_values,
        environ=environ,
        builtins=builtins,
        require_values=require_values,
        drivers=drivers,
        probes=probes,
        library=library,
    )
    if others:
        document = parse(str(path), found.text)
        span = top_of(document).entries["matrix"][0]
        hint = "choose one by " + " ".join(f"--var {name}={value}" for name, value in found.variant.items())
        document.refuse(span, "matrix", f"a matrix of {1 + len(others)} experiments where one is needed", hint)
    return found


def load_experiments(
    path: str | Path,
    *,
    variables: Mapping[str, str] | None = None,
    secret_values: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    builtins: Builtins | None = None,
    require_values: bool = True,
    silence: tuple[str, ...] = (),
    drivers: DriverCheck | None = None,
    probes: ProbeCheck | None = None,
    library: Path | None = None,
) -> tuple[Loaded, ...]:
    """Read an experiment file; raise ExperimentErrors that holds everything that is wrong with it.

    One result for each combination of ``matrix:``, in the order of the file, the last name changing fastest; one without.
    ``variables`` are from ``--var``, ``secret_values`` from variable files (secrets and others), ``builtins`` are the
    values of ``run.id`` and ``run.seed`` (samples by default). With ``require_values`` a secret without a value is an
    error; otherwise it is listed as ``needed``.
    ``silence`` are alerts that are silenced beside the file's own. ``drivers`` (registry.load_driver) checks each fault against its driver,
    ``probes`` (registry.load_probe) each gauge. ``library`` is the folder of what ships with gameday.
    """
    source = Path(path)
    data = read_bytes(source)
    chaos = read_chaos(str(path), data)
    if chaos is not None:
        if silence:
            hint = "take silence_alerts: away, or put the experiment into a file that uses: it, with sources: {alertmanager: …}"
            chaos.refuse(
                Span(1, 1),
                "missing-source",
                "a Chaos Toolkit experiment names no Alertmanager to silence alerts at",
                hint,
            )
        if callable(builtins):
            builtins(0)
        return (_load_chaos(chaos, source, data, variables or {}),)
    document = parse(str(path), data)
    fragments = Fragments(document=document, source=source, library=library)
    shaped = shape(document, fragments)
    given = Given(variables=variables or {}, secret_values=secret_values or {}, environ=environ or {})
    known = declare(document, shaped.variables, given, require_values=require_values)
    chosen = combinations(document, shaped.matrix, known, given.variables, document.root.size)
    loader = _Loader(source=source, text=data, fragments=fragments, declared=known)
    found: list[Loaded] = []
    for index, combination in enumerate(chosen):
        values = builtins(index) if callable(builtins) else builtins
        reading = Reading(
            document=document,
            shaped=shaped,
            variables=bound(known, combination),
            builtins={**SAMPLE_BUILTINS, **(values or {})},
            checks=Checks(drivers=drivers, probes=probes),
            silence=silence,
            used_at=fragments.used_at,
        )
        experiment = reading.read()
        if experiment is not None:
            sample = replace(reading, builtins=SAMPLE_BUILTINS).read() if loader.uses_builtins else None
            found.append(loader.loaded(experiment, sample, reading, combination))
    if document.errors:
        raise ExperimentErrors(document.errors)
    return tuple(found)


def _load_chaos(document: Document, source: Path, data: bytes, variables: Mapping[str, str]) -> Loaded:
    """Return what runs a Chaos Toolkit file as it is; raise ExperimentErrors when it is not whole."""
    check_chaos(document)
    if document.errors:
        raise ExperimentErrors(document.errors)
    names = declared(document)
    given = {name: value for name, value in variables.items() if name in names}
    return Loaded(
        path=source,
        text=data,
        experiment=Experiment.model_validate(as_experiment(document, given)),
        secrets=Secrets(),
        lines={"title": find_line(document, "title")},
        declared=names,
        chaos=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loader:
    """What all combinations of one file share."""

    source: Path
    text: bytes
    fragments: Fragments
    declared: Variables

    @property
    def uses_builtins(self) -> bool:
        """Whether run.id or run.seed occur anywhere in its text."""
        return any(b"${run." in text for text in (self.text, *self.fragments.texts.values()))

    def loaded(
        self, experiment: Experiment, sample: Experiment | None, reading: Reading, combination: Combination
    ) -> Loaded:
        secrets = self.declared.secrets
        unprovable = tuple(never_provable(experiment))
        return Loaded(
            path=self.source,
            text=self.text,
            experiment=experiment,
            secrets=Secrets(values={name: value for name, value in secrets.items() if value is not None}),
            lines=reading.lines(),
            declared=frozenset((*self.declared.names, *combination)),
            variant={name: as_text(value) for name, value in combination.items()},
            fragments=dict(self.fragments.texts),
            sample=sample,
            needed=tuple(name for name, value in secrets.items() if value is None),
            unprovable=unprovable,
            warnings=(*map(reading.warning, unprovable), *reading.closed_model(experiment)),
        )


def read_secrets(path: str | Path, environ: Mapping[str, str]) -> Secrets:
    """Return the file's secrets that the environment has; nothing else of the file is looked at, and nothing is refused.

    `gameday recover` takes them from the environment again, because a run folder holds references only.
    """
    data = read_bytes(Path(path))
    if read_chaos(str(path), data) is not None:
        return Secrets()
    document = parse(str(path), data)
    section: Node | None = find(top_of(document), ("variables",))
    found = declare(document, section, Given(variables={}, secret_values={}, environ=environ), require_values=False)
    return Secrets(values={name: value for name, value in found.secrets.items() if value is not None})
