"""Kinds of measurement that an objective may speak of, one module each; a new kind is a new module and a line here."""

from __future__ import annotations

from gameday.judge.measures.alert import AlertMeasure
from gameday.judge.measures.counters import CountersMeasure
from gameday.judge.measures.gauge import GaugeMeasure
from gameday.judge.measures.load import LoadMeasure
from gameday.judge.measures.shape import Context, Gated, Judged, Measure, Pair, Row, pairs_of
from gameday.model import Run
from gameday.schema.experiment import Experiment

__all__ = ["Context", "Gated", "Judged", "Measure", "Pair", "Row", "measures_of", "pairs_of"]


def measures_of(run: Run, experiment: Experiment) -> tuple[Measure, ...]:
    """Return every kind of measurement, of this run."""
    return (
        LoadMeasure(run, experiment),
        GaugeMeasure(run, experiment),
        CountersMeasure(run, experiment),
        AlertMeasure(run, experiment),
    )
