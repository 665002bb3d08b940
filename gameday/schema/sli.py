"""The section ``slis:``, gauges beyond what the load measures: ``{http: URL, json: "$.depth", every: 5s}``."""

from __future__ import annotations

from typing import Any, cast

from pydantic import Field, ModelWrapValidatorHandler, model_serializer, model_validator

from gameday.schema.fields import Line
from gameday.schema.section import Section
from gameday.schema.units import PositiveDuration, format_duration

VALUE = "value"
"""The probe's field that holds what stands after its kind: the URL of ``http:``, the argv of ``command:``."""
NO_KIND = "needs a kind; write {http: URL, every: 5s} or {command: [argv], every: 5s}"
_OURS = ("every", "source")


class Sli(Section):
    """One gauge: which probe reads it, and how often.

    In the file the first key beside ``every`` and ``source`` is the kind, its value the probe's field ``value``, and what
    else there is are the probe's other parameters.
    """

    kind: str
    params: dict[str, Any]
    every: PositiveDuration = Field(default=5_000, description="how often it is read")
    source: Line | None = Field(default=None, description="a name under sources:, where there are several")

    @model_validator(mode="wrap")
    @classmethod
    def _from_file(cls, raw: Any, handler: ModelWrapValidatorHandler[Sli]) -> Sli:
        if not isinstance(raw, dict):
            return handler(raw)
        given = cast("dict[str, Any]", raw)
        rest = {key: value for key, value in given.items() if key not in _OURS}
        if not rest:
            raise ValueError(NO_KIND)
        kind = next(iter(rest))
        params = {VALUE: rest.pop(kind), **rest}
        return handler({"kind": kind, "params": params, **{key: given[key] for key in _OURS if key in given}})

    @model_serializer
    def _to_file(self) -> dict[str, Any]:
        others = {key: value for key, value in self.params.items() if key != VALUE}
        source = {"source": self.source} if self.source else {}
        return {self.kind: self.params[VALUE], **others, "every": format_duration(self.every), **source}
