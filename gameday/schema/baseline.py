"""``baseline: FILE``: a committed result that a run may not be worse than, and what it has to do with the experiment.

The file holds a fixed budget for each objective, criterion and phase; ``gameday judge RUN --write-baseline FILE`` writes it. A place in
it, not in the experiment, is where its mistakes are.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from gameday.schema.document import Document
from gameday.schema.errors import did_you_mean
from gameday.schema.fields import Line, Name
from gameday.schema.grammar import Criterion
from gameday.schema.marks import Form, Read, Write
from gameday.schema.nodes import Entries, Node, Path, Value, as_mapping, locate
from gameday.schema.quantities import parse_percent
from gameday.schema.section import Section, key

FORMAT = "gameday/baseline/1"
PHASES = ("baseline", "fault")
"""Phases that a budget can be for: the steady state before, and while the fault is on."""
_ANEW = "write it anew: gameday judge RUN --write-baseline FILE"


def percent_text(share: float) -> str:
    """Write a share as the file has it: ``0.15%``."""
    return f"{100 * share:.10g}%"


def _budget(value: object) -> float:
    share = parse_percent(value if isinstance(value, str) else "")
    if not 0 < share <= 1:
        raise ValueError("a budget is more than 0% and at most 100%")
    return round(share, 12)


class Kept(Section):
    """What one criterion was shown to keep in one phase."""

    budget: Annotated[float, Read(_budget), Write(percent_text), Form({"type": "string", "examples": ["0.15%"]})] = key(
        description="the largest share of bad requests that a later run may show"
    )
    k: int = key(default=0, least=0, description="bad requests of the run that it was written from")
    n: int = key(default=0, least=0, description="all requests of that run's phase")


class Baseline(Section):
    """A committed baseline, read, with the name of its file."""

    file: Line
    schema: Literal["gameday/baseline/1"] = key(description="of this file's grammar")
    experiment: Line = key(description="the title of the experiment that it is of")
    run: Line | None = key(default=None, description="the run that it was written from")
    margin: Any = key(default=None, description="by how much each budget is wider than what that run showed at most")
    objectives: dict[Name, dict[str, dict[Literal["baseline", "fault"], Kept]]] = key(
        default={}, description="objective → criterion, as the experiment has it → phase → budget"
    )

    def budget(self, objective: str, criterion: str, phase: str) -> float | None:
        """Return the budget of a criterion in a phase; None where it has none."""
        kept = self.objectives.get(objective, {}).get(criterion, {}).get(phase)  # type: ignore[call-overload]
        return kept.budget if kept is not None else None


def comparable(criterion: Criterion) -> bool:
    """Whether a baseline has a budget for it: a share of bad requests, judged with confidence."""
    return not criterion.exact


def attach(document: Document, entry: Node, content: Entries | None) -> Entries | None:
    """Return the section as the models read it: the file's own entries, and its name."""
    if content is None or not isinstance(entry, Value):
        return None
    name = (entry.span, Value(span=entry.span, value=entry.value, text=entry.text))
    if "file" in content.entries:
        document.add(content.entries["file"][0], "unknown-key", "unknown key 'file' in a baseline", "remove it")
    return Entries(span=entry.span, entries={**content.entries, "file": name})


def check_baseline(
    document: Document, root: Entries, title: object, wanted: dict[str, list[tuple[Criterion, str]]]
) -> None:
    """Note a baseline that is of another experiment, or does not have exactly what this one asks for.

    ``wanted`` are the criteria of each objective with the phase in which each is judged.
    """
    section = root.get("baseline")
    if not isinstance(section, Entries):
        return
    named = section.get("experiment")
    if isinstance(named, Value) and isinstance(title, str) and named.value != title.strip():
        message = f"this baseline is of another experiment: {str(named.value)[:100]!r}, not {title.strip()[:100]!r}"
        document.add(named.span, "baseline", message, _ANEW)
        return
    here = section.get("objectives")
    found = as_mapping(_plain_keys(here))
    for name, criteria in wanted.items():
        for criterion, phase in criteria:
            if comparable(criterion) and phase not in found.get(name, {}).get(criterion.text, ()):
                span = locate(root, ("objectives", name), key=True)
                what = f"objective {name!r}" if name not in found else f"{criterion.text!r} in the {phase} phase"
                document.add(span, "baseline", f"the baseline says nothing of {what}", _ANEW)
                break
    for name, criteria_found in found.items():
        if name not in wanted:
            _stray(document, root, ("baseline", "objectives", name), f"objective {name!r}", list(wanted))
            continue
        texts = [criterion.text for criterion, _ in wanted[name]]
        for text in criteria_found:
            if text not in texts:
                _stray(document, root, ("baseline", "objectives", name, text), f"criterion {text!r} of {name!r}", texts)


def _stray(document: Document, root: Entries, path: Path, what: str, known: list[str]) -> None:
    span = locate(root, path, key=True)
    document.add(span, "baseline", f"the experiment has no {what}", did_you_mean(str(path[-1]), known, _ANEW))


def _plain_keys(node: Node | None) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return objective → criterion → phases, as far as they are there."""
    if not isinstance(node, Entries):
        return {}
    return {
        name: {
            text: tuple(phases.entries) for text, (_, phases) in criteria.entries.items() if isinstance(phases, Entries)
        }
        for name, (_, criteria) in node.entries.items()
        if isinstance(criteria, Entries)
    }
