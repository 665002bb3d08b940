"""samples.ndjson: what was written is what is read; what is torn or malformed is never taken for whole."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gameday.load.protocol import KINDS, encode
from gameday.load.samples import SampleWriter, read_gauges, read_samples
from gameday.model import GaugeSample, LoadRow, LoadSeries
from tests.unit.test_load_protocol import TICK

COUNTS = st.dictionaries(st.integers(1, 5).map(str), st.integers(0, 9), max_size=3)
ENDPOINTS = st.sampled_from(["home", "buy", "käse \n \u2028"])
ROWS = st.tuples(st.integers(-2, 5), ENDPOINTS, st.sampled_from(sorted(KINDS)), st.integers(0, 50), COUNTS).map(list)
HISTS = st.tuples(st.integers(0, 2), ENDPOINTS, st.integers(0, 9), st.integers(0, 100), COUNTS).map(list)
AGGS = st.fixed_dictionaries(
    {"t": st.just("agg"), "rows": st.lists(ROWS, max_size=8), "hist": st.lists(HISTS, max_size=5)}
)
BYE = {"t": "bye", "offered": 3, "completed": 3, "drained": True}
PULSE = {"t": "pulse"}
same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def write(path: Path, messages: list[dict[str, Any]]) -> bytes:
    path.unlink(missing_ok=True)
    with SampleWriter(path) as writer:
        for message in messages:
            writer.write(message)
    return path.read_bytes()


@same_folder
@given(st.lists(AGGS, max_size=5))
def test_what_was_written_is_read_and_the_same_keys_are_added_up(tmp_path: Path, aggs: list[dict[str, Any]]) -> None:
    path = tmp_path / "samples.ndjson"
    write(path, [*aggs, TICK, PULSE, BYE])
    series = read_samples(path)
    expected: Counter[tuple[int, str, str]] = Counter()
    slower: Counter[tuple[int, str, str, int]] = Counter()
    for slot, endpoint, kind, count, over in (row for agg in aggs for row in agg["rows"]):
        expected[slot, endpoint, kind] += count
        slower.update({(slot, endpoint, kind, int(limit)): n for limit, n in over.items()})
    assert {(r.slot, r.endpoint, r.kind): r.count for r in series.rows} == dict(expected)
    assert {(r.slot, r.endpoint, r.kind, limit): n for r in series.rows for limit, n in r.slower.items()} == dict(
        slower
    )
    assert sum(h.count for h in series.histograms) == sum(row[2] for agg in aggs for row in agg["hist"])
    assert sum(h.sum_ms for h in series.histograms) == sum(row[3] for agg in aggs for row in agg["hist"])
    assert len(series.ticks) == 1
    assert series.ticks[0].lag_p99_ms == 1.5
    assert series.said_bye is True


@same_folder
@given(st.data())
def test_a_file_cut_anywhere_is_never_whole(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "samples.ndjson"
    agg: dict[str, Any] = {"t": "agg", "rows": [[1, "home", "ok", 2, {}]], "hist": []}
    whole = write(path, [agg, TICK, agg, TICK, BYE])
    cut = data.draw(st.integers(0, len(whole) - 1))
    path.write_bytes(whole[:cut])
    series = read_samples(path)
    assert series.said_bye is False
    assert sum(row.count for row in series.rows) == 2 * whole[:cut].count(encode(agg))


def test_a_malformed_line_in_the_middle_is_dropped_and_the_stream_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "samples.ndjson"
    whole = write(path, [{"t": "agg", "rows": [[1, "home", "ok", 2, {}]], "hist": []}, TICK, BYE])
    first, second, last = whole.splitlines(keepends=True)
    for bad in (b"{}\n", b"\n", b"\xff\n", json.dumps({**TICK, "cpu": None}).encode() + b"\n"):
        path.write_bytes(first + bad + second + last)
        series = read_samples(path)
        assert series.said_bye is False
        assert series.rows == (LoadRow(slot=1, endpoint="home", kind="ok", count=2),)


def test_a_bye_that_left_requests_undecided_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "samples.ndjson"
    write(path, [TICK, {**BYE, "drained": False}])
    assert read_samples(path).said_bye is False
    write(path, [BYE, TICK])
    assert read_samples(path).said_bye is False


def test_no_file_is_no_evidence(tmp_path: Path) -> None:
    assert read_samples(tmp_path / "absent") == LoadSeries()


def test_a_second_is_on_disk_with_its_tick(tmp_path: Path) -> None:
    path = tmp_path / "samples.ndjson"
    with SampleWriter(path) as writer:
        writer.write({"t": "agg", "rows": [[1, "home", "ok", 2, {}]], "hist": []})
        writer.write(TICK)
        assert len(read_samples(path).rows) == 1


def sample(at_ms: int, value: float | None, **more: Any) -> GaugeSample:
    return GaugeSample(sli="queue", at_ms=at_ms, value=value, **more)


@same_folder
@given(
    st.lists(
        st.builds(
            sample, st.integers(0, 10**6), st.floats(allow_nan=False, allow_infinity=False), took_ms=st.integers(0, 9)
        )
        | st.builds(
            sample, st.integers(0, 10**6), st.none(), error=st.text(min_size=1, max_size=50), wrong=st.booleans()
        ),
        max_size=8,
    )
)
def test_readings_are_read_back_beside_the_load_which_is_whole_without_them(
    tmp_path: Path, samples: list[GaugeSample]
) -> None:
    path = tmp_path / "samples.ndjson"
    path.unlink(missing_ok=True)
    with SampleWriter(path) as writer:
        writer.write(TICK)
        writer.write(BYE)
        for one in samples:
            writer.write_gauge(one)
    series = read_samples(path)
    assert (len(series.ticks), series.said_bye) == (1, True)
    assert read_gauges(path) == tuple(sorted(samples, key=lambda one: (one.at_ms, one.sli)))


def test_a_damaged_reading_is_missing_and_a_torn_one_is_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "samples.ndjson"
    good = b'{"t":"gauge","sli":"q","at_ms":1,"took_ms":0,"value":2}\n'
    bad = [b'"value":NaN}', b'"value":"x"}', b'"value":[]}', b"", b'"at_ms":null}']
    path.write_bytes(
        good + b"".join(b'{"t":"gauge","sli":"q","at_ms":1,"took_ms":0,' + end + b"\n" for end in bad) + good[:-1]
    )
    assert [(one.at_ms, one.value) for one in read_gauges(path)] == [(1, 2.0)]
    assert read_gauges(tmp_path / "absent") == ()


def test_nothing_is_written_after_the_end(tmp_path: Path) -> None:
    path = tmp_path / "samples.ndjson"
    writer = SampleWriter(path)
    writer.close()
    writer.write_gauge(sample(1, 2.0))
    assert path.read_bytes() == b""
