"""When a gauge has recovered: within its time, for as long as its hold, and only by what was read."""

from __future__ import annotations

import pytest

from tests.fakes.gauge_stories import Value, gauge_story, high
from tests.fakes.judged import judged
from tests.fakes.stories import END, REVERTED


@pytest.mark.parametrize("value", [high(REVERTED, REVERTED + 8_000), high(REVERTED, END), high(REVERTED + 12_000, END)])
def test_recovery(value: Value) -> None:
    document = judged(gauge_story(value))
    recovery = document["objectives"][0]["recovery"]
    late = value(REVERTED + 100) == 2_000
    for_ever = value(END - 1_000) == 2_000 and late
    if for_ever:
        assert (recovery["result"], recovery["seconds"]) == ("fail", None)
    elif late:
        assert (recovery["result"], document["verdict"]) == ("pass", "pass")
        assert recovery["seconds"] == pytest.approx(8.3, abs=0.01)
        assert recovery["bad_seconds"] == 8
    else:
        assert (recovery["result"], recovery["relapses"], recovery["seconds"]) == ("fail", 1, 0)
    assert document["findings"] == [] or "over the limit" in document["findings"][0]["matters"]


def test_recovery_later_than_allowed_fails_and_without_readings_is_no_data() -> None:
    assert judged(gauge_story(high(REVERTED, REVERTED + 16_000)))["objectives"][0]["recovery"]["result"] == "fail"
    document = judged(gauge_story(high(REVERTED, REVERTED + 16_000, None)))
    assert document["objectives"][0]["recovery"]["reason"] == "no-data"
    assert "was not measured well enough (no-data)" in document["findings"][0]["saw"]


def test_a_hold_is_as_long_as_its_gauge_needs() -> None:
    document = judged(gauge_story(every=8_000, recover={"within": "10s", "hold": "5s"}))
    assert document["objectives"][0]["recovery"]["hold_ms"] == 16_000
