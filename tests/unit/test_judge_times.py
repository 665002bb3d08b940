"""Time to detect, to mitigate and to recover, from what the objectives came to."""

from __future__ import annotations

from typing import Any

from gameday.judge.times import measure_times
from gameday.judge.windows import Window, Windows

PROVEN, REVERTED, END = 30_000, 90_000, 150_000
WINDOWS = Windows(fault=Window.whole("fault", PROVEN, REVERTED), recovery=Window.whole("recovery", REVERTED, END))


def steady(name: str, seconds: float | None) -> dict[str, Any]:
    return {"name": name, "alert": None, "recovery": {"seconds": seconds}}


def alert(name: str, fired: int | None, resolved: int | None, fires: str = "within") -> dict[str, Any]:
    said = {"name": name, "source": "prometheus", "fires": fires, "fired_ms": fired, "resolved_ms": resolved}
    return {"name": f"paged-{name}", "alert": said, "recovery": None}


def test_without_an_alert_nothing_says_when_it_was_detected() -> None:
    times = measure_times([steady("fast", 3.0), steady("available", 7.5)], WINDOWS)

    assert times["detect"] == {"ms": None, "source": None}
    assert times["recover"] == {"ms": 7_500, "source": "steady state of available"}
    assert times["mitigate"] == {"ms": 67_500, "source": "steady state of available regained"}


def test_the_first_alert_detects_and_the_last_to_end_mitigates() -> None:
    rows = [alert("Slow", 20_000, 9_000), alert("Fast", 8_000, 2_000), steady("available", 1.0)]

    times = measure_times(rows, WINDOWS)

    assert times["detect"] == {"ms": 8_000, "source": "alert Fast (prometheus)"}
    assert times["mitigate"] == {"ms": 69_000, "source": "alert Slow (prometheus) resolved"}
    assert times["recover"]["ms"] == 1_000


def test_an_alert_that_still_fires_has_mitigated_nothing() -> None:
    times = measure_times([alert("A", 8_000, None), alert("B", 9_000, 1_000)], WINDOWS)

    assert times["mitigate"] == {"ms": None, "source": "alert A (prometheus) resolved"}
    assert times["recover"] == {"ms": None, "source": None}


def test_a_silent_alert_is_named_and_detects_nothing() -> None:
    times = measure_times([alert("A", None, None), steady("available", 4.0)], WINDOWS)

    assert times["detect"] == {"ms": None, "source": "alert A (prometheus)"}
    assert times["mitigate"]["source"] == "steady state of available regained"


def test_an_alert_that_must_not_fire_detects_nothing() -> None:
    times = measure_times([alert("A", 5_000, 0, fires="never"), steady("available", 4.0)], WINDOWS)

    assert times["detect"] == {"ms": None, "source": None}
    assert times["mitigate"]["source"] == "steady state of available regained"


def test_what_did_not_come_back_has_no_time() -> None:
    times = measure_times([steady("available", None), steady("fast", 2.0)], WINDOWS)

    assert times["recover"] == {"ms": None, "source": "steady state of available"}
    assert times["mitigate"]["ms"] is None


def test_a_run_without_a_fault_phase_has_no_times() -> None:
    times = measure_times([alert("A", None, None), steady("available", None)], Windows())

    assert [times[name]["ms"] for name in ("detect", "mitigate", "recover")] == [None, None, None]
