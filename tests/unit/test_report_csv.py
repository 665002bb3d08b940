"""CSV: every request counted once, by the second; nothing in it is a formula."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import replace

import pytest

from gameday.model import GaugeSample, LoadSeries, Run
from gameday.spi import OnRequest, Renderer, Together
from gameday_reports.csvfile import COLUMNS, KINDS, CsvSamples
from tests.fakes.sample_facts import NAME
from tests.fakes.sample_run import sample_run


def small() -> Run:
    return sample_run("fail", baseline_s=4, fault_s=4, recovery_s=12)


def table(run: Run) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(CsvSamples().render(run).decode(), newline=""), strict=True))


def test_it_is_a_renderer_that_waits_to_be_asked_for() -> None:
    report = CsvSamples()
    assert isinstance(report, Renderer)
    assert isinstance(report, Together)
    assert isinstance(report, OnRequest)
    assert (report.name, report.filename, report.on_request) == ("csv", "samples.csv", True)


def test_every_request_is_counted_once() -> None:
    run = small()
    assert run.verdict is not None
    rows = table(run)
    for endpoint in run.verdict["load"]["by_endpoint"]:
        mine = [row for row in rows if row["name"] == endpoint["name"]]
        assert sum(int(row["requests"]) for row in mine) == endpoint["n"]
        kinds = Counter({kind: sum(int(row[kind]) for row in mine) for kind in KINDS})
        assert +kinds == Counter(endpoint["kinds"])
        assert len({row["run_ms"] for row in mine}) == len(mine)
    fault = [row for row in rows if row["phase"] == "fault"]
    assert fault
    assert fault[0]["utc"] == "2026-09-21T14:13:38.123Z"
    assert rows[0]["run"] == NAME


def test_readings_follow_with_their_errors() -> None:
    gauges = (
        GaugeSample(sli="queue", at_ms=14_000, value=-3.25, took_ms=4),
        GaugeSample(sli="queue", at_ms=15_000, value=None, error='=cmd|"x"!A1\r\nnext, line'),
    )
    rows = table(replace(small(), gauges=gauges, load=LoadSeries()))
    assert [(row["record"], row["value"], row["took_ms"], row["error"]) for row in rows] == [
        ("reading", "-3.25", "4", ""),
        ("reading", "", "0", '\'=cmd|"x"!A1 next, line'),
    ]


def test_it_is_rfc_4180() -> None:
    data = CsvSamples().render(replace(small(), gauges=(GaugeSample(sli='a,"b"', at_ms=0, value=1.0),)))
    assert data.endswith(b"\r\n")
    assert data.count(b"\n") == data.count(b"\r\n")
    assert b'"a,""b"""' in data
    assert data.split(b"\r\n")[0].decode() == ",".join(COLUMNS)


def test_several_runs_have_one_head() -> None:
    both = CsvSamples().render_together([small(), replace(small(), name="other")])
    rows = list(csv.DictReader(io.StringIO(both.decode(), newline="")))
    assert {row["run"] for row in rows} == {NAME, "other"}
    assert both.count(b"run_ms") == 1
    with pytest.raises(ValueError, match="not been judged"):
        CsvSamples().render(replace(small(), verdict=None))
