"""The section ``slis:``, gauges beyond what the load measures: ``{http: URL, json: "$.depth", every: 5s}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from gameday.schema.fields import Line
from gameday.schema.section import Section, key
from gameday.schema.units import PositiveDuration, format_duration

VALUE = "value"
"""The probe's field that holds what stands after its kind: the URL of ``http:``, the argv of ``command:``."""
NO_KIND = "needs a kind; write {http: URL, every: 5s} or {command: [argv], every: 5s}"
_OURS = ("every", "source")
COUNTS = (frozenset(("bad", "total")), frozenset(("good", "total")))
"""Keys under a kind that make the SLI a ratio of counted requests."""
SUMS = frozenset(("sum", "per"))
"""Keys under a kind that make the SLI a ratio of sums."""


class Sli(Section):
    """One gauge: which probe reads it, and how often.

    In the file the first key beside ``every`` and ``source`` is the kind, its value the probe's field ``value``, and what
    else there is are the probe's other parameters.
    """

    kind: str
    params: dict[str, Any]
    every: PositiveDuration = key(default=5_000, description="how often it is read")
    source: Line | None = key(default=None, description="a name under sources:, where there are several")

    @classmethod
    def reshaped(cls, raw: dict[str, Any]) -> dict[str, Any]:
        """Return the entry with its kind, its parameters and our own keys apart."""
        rest = {name: value for name, value in raw.items() if name not in _OURS}
        if not rest:
            raise ValueError(NO_KIND)
        kind = next(iter(rest))
        params = {VALUE: rest.pop(kind), **rest}
        return {"kind": kind, "params": params, **{name: raw[name] for name in _OURS if name in raw}}

    @property
    def is_ratio(self) -> bool:
        """Whether it is two counters, fetched after the phases, and no gauge."""
        return self.counts or self.sums

    @property
    def counts(self) -> bool:
        """A ratio of counted requests: ``{bad: …, total: …}`` or ``{good: …, total: …}``."""
        return _keys(self.params.get(VALUE)) in COUNTS

    @property
    def sums(self) -> bool:
        """A ratio of sums: ``{sum: …, per: …}``."""
        return _keys(self.params.get(VALUE)) == SUMS

    def to_json(self) -> dict[str, Any]:
        """Write the kind with its value first, then the other parameters."""
        others = {name: value for name, value in self.params.items() if name != VALUE}
        source = {"source": self.source} if self.source else {}
        every = {} if self.is_ratio else {"every": format_duration(self.every)}
        return {self.kind: self.params[VALUE], **others, **every, **source}


def _keys(value: object) -> frozenset[str]:
    return frozenset(map(str, cast("Mapping[object, object]", value))) if isinstance(value, Mapping) else frozenset()
