"""``agenda:`` and ``prerequisites:`` what is done on a game day, in order."""

from __future__ import annotations

from typing import Any, Literal

from gameday.schema.day.words import FileName, Role, Text
from gameday.schema.fields import Line, Word
from gameday.schema.section import Section, key
from gameday.schema.units import PositiveDuration

Kind = Literal["brief", "experiment", "manual", "go_no_go", "debrief"]
KINDS: tuple[Kind, ...] = ("brief", "experiment", "manual", "go_no_go", "debrief")
_TITLE = 80


class Manual(Section):
    """A step that a person does, and confirms."""

    step: Text = key(description="what to do", examples=["Fail over the primary by the runbook"])
    by: Role | None = key(default=None, description="whose step it is; default: anybody's")
    evidence: Literal["required", "optional"] = key(
        default="optional", description="whether a link or a file must show that it was done"
    )
    within: PositiveDuration | None = key(default=None, description="by when it is done; later is a fail")


class GoNoGo(Section):
    """A decision: go on, or end the day here."""

    by: Role | None = key(default=None, description="whose decision it is; default: whoever leads the day")
    question: Line | None = key(default=None, description="what is decided", examples=["Is checkout steady again?"])


class Prerequisite(Section):
    """What must be so before the day begins: a check by a person, or an experiment that passes."""

    check: Line | None = key(default=None, description="what a person confirms")
    by: Role | None = key(default=None, description="who confirms it")
    experiment: FileName | None = key(default=None, description="an experiment file that must pass")
    variables: dict[Word, Any] = key(default={}, description="values for its variables, as --var gives them")

    def agree(self) -> None:
        """Raise ValueError when it is not exactly one of both, or has keys of the other."""
        if (self.check is None) == (self.experiment is None):
            raise ValueError("needs exactly one of check and experiment")
        if self.experiment is not None and self.by is not None:
            raise ValueError("needs no by: the verdict of the experiment decides")
        check_variables(self.experiment, self.variables)

    @property
    def title(self) -> str:
        """Return it in one line."""
        return self.check or f"{self.experiment} passes"


class AgendaItem(Section):
    """One item: a brief, an experiment, a manual step, a go/no-go or a debrief."""

    brief: Text | None = key(default=None, description="what is said before: what we expect, and how we stop")
    experiment: FileName | None = key(
        default=None, description="an experiment file", examples=["../payments-down.yaml"]
    )
    blind: bool = key(
        default=False, description="responders and observers see that something is on, not what, until the debrief"
    )
    variables: dict[Word, Any] = key(default={}, description="values for its variables, as --var gives them")
    manual: Manual | None = key(default=None, description="a step that a person does")
    go_no_go: GoNoGo | None = key(default=None, description="a decision: go on, or end the day here")
    debrief: Text | None = key(default=None, description="what is talked about at the end")

    def agree(self) -> None:
        """Raise ValueError when it is not exactly one kind of item, or has keys of another kind."""
        if len([name for name in KINDS if getattr(self, name) is not None]) != 1:
            raise ValueError("needs exactly one of brief, experiment, manual, go_no_go and debrief")
        if self.blind and self.experiment is None:
            raise ValueError("needs an experiment to be blind")
        check_variables(self.experiment, self.variables)

    @property
    def kind(self) -> Kind:
        """Return which of its kinds it is."""
        return next(name for name in KINDS if getattr(self, name) is not None)

    @property
    def title(self) -> str:
        """Return it in one line, as lists show it."""
        if self.manual is not None:
            return _shortened(self.manual.step)
        if self.go_no_go is not None:
            return self.go_no_go.question or "Go or no-go?"
        return _shortened(self.brief or self.experiment or self.debrief or "")


def check_variables(experiment: str | None, variables: dict[str, Any]) -> None:
    """Raise ValueError where variables are for no experiment, are no plain values, or would hand on a secret."""
    if variables and experiment is None:
        raise ValueError("needs an experiment for its variables")
    for name, value in variables.items():
        if not isinstance(value, (str, int, float)):
            raise ValueError(  # noqa: TRY004 - what sections say is wrong
                f"has no plain value for variable {name!r}; write a text, a number, true or false"
            )
        if isinstance(value, str) and "${" in value:
            raise ValueError(
                f"has a secret for variable {name!r}; let the experiment file declare it: {name}: {{env: NAME, secret: true}}"
            )


def given_variables(variables: dict[str, Any]) -> dict[str, str]:
    """Return the values as ``--var`` would give them."""
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in variables.items()}


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TITLE else line[: _TITLE - 1] + "…"
