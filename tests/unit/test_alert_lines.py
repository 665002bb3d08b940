"""Looks at alerts as lines of samples.ndjson: what is written is read back, and what is damaged is no look."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.load.alertlines import STATES, alert_line, read_alerts
from gameday.load.samples import SampleWriter, read_gauges, read_samples
from gameday.model import AlertLook

LOOK = AlertLook(
    objective="paged", source="prometheus", at_ms=5_000, every_ms=1_000, took_ms=7, state="firing",
    since_ms=4_200, evaluated_ms=4_900, interval_ms=1_000,
)  # fmt: skip
MISSED = AlertLook(objective="paged", source="prometheus", at_ms=6_000, every_ms=1_000, error="refused", wrong=True)
MAYBE = st.none() | st.integers(-(10**9), 10**9)
LOOKS = st.builds(
    AlertLook,
    objective=st.text(min_size=1, max_size=20),
    source=st.text(min_size=1, max_size=20),
    at_ms=st.integers(0, 10**9),
    every_ms=st.integers(1, 10**6),
    took_ms=st.integers(0, 10**6),
    state=st.sampled_from(STATES),
    since_ms=MAYBE,
    evaluated_ms=MAYBE,
    interval_ms=st.integers(0, 10**6),
)


def written(folder: Path, *lines: bytes) -> Path:
    path = folder / "samples.ndjson"
    path.write_bytes(b"".join(lines))
    return path


def test_looks_are_read_back_beside_everything_else(tmp_path: Path) -> None:
    path = tmp_path / "samples.ndjson"
    with SampleWriter(path) as writer:
        writer.write_alert(MISSED)
        writer.write_alert(LOOK)
        writer.write({"t": "bye", "offered": 0, "completed": 0, "drained": True})

    assert read_alerts(path) == (LOOK, MISSED), "in order of time"
    assert read_samples(path).said_bye, "the load's stream is whole whatever stands beside it"
    assert read_gauges(path) == ()


@given(st.lists(LOOKS, max_size=5))
def test_every_look_survives(looks: list[AlertLook]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lines = (json.dumps(alert_line(look), separators=(",", ":")).encode() + b"\n" for look in looks)
        found = read_alerts(written(Path(folder), *lines))

    assert sorted(found, key=repr) == sorted(looks, key=repr)


@pytest.mark.parametrize(
    "damage",
    [
        (b'"state":"firing"', b'"state":"quiet"'),
        (b'"state":"firing",', b""),
        (b'"at_ms":5000', b'"at_ms":"soon"'),
        (b'"objective":"paged",', b""),
        (b'"every_ms":1000,', b""),
        (b'"since_ms":4200', b'"since_ms":[]'),
        (b"}", b""),
    ],
)
def test_a_damaged_line_is_no_look(tmp_path: Path, damage: tuple[bytes, bytes]) -> None:
    line = json.dumps(alert_line(LOOK), separators=(",", ":")).encode()
    assert damage[0] in line
    path = written(tmp_path, line.replace(*damage) + b"\n", line + b"\n")

    assert read_alerts(path) == (LOOK,)


def test_a_torn_line_and_no_file_are_no_looks(tmp_path: Path) -> None:
    line = json.dumps(alert_line(LOOK), separators=(",", ":")).encode()

    assert read_alerts(written(tmp_path, line)) == ()
    assert read_alerts(tmp_path / "nothing") == ()
