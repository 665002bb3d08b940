"""Which slots belong to which phase."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.judge.windows import Window, find_windows
from tests.fakes.stories import END, PROVEN, REVERTED, ZERO, Story, fault_life, frame


def spans(window: Window | None) -> tuple[tuple[int, int], ...]:
    assert window is not None
    return window.spans


def test_phases_of_a_plain_run() -> None:
    windows = find_windows(Story().run())
    assert spans(windows.baseline) == ((50, 250),)
    assert spans(windows.onset) == ((260, 265),)
    assert spans(windows.fault) == ((265, 665),)
    assert spans(windows.recovery) == ((665, 965),)


def test_a_slot_cut_by_an_edge_of_the_fault_phase_is_onset() -> None:
    story = Story(events=[*frame(), *fault_life(start=26_030, proven=26_550, reverted=66_420)])
    windows = find_windows(story.run())
    assert spans(windows.onset) == ((261, 266), (664, 665))
    assert spans(windows.fault) == ((266, 664),)
    assert spans(windows.recovery) == ((665, 965),)


def test_overlapping_and_following_faults_make_one_phase() -> None:
    first = fault_life("a", 26_000, 26_500, 40_000)
    second = fault_life("b", 35_000, 35_400, 45_000)
    third = fault_life("c", 50_000, 50_200, 60_000)
    windows = find_windows(Story(events=[*frame(), *third, *first, *second]).run())
    assert spans(windows.onset) == ((260, 265),)
    assert spans(windows.fault) == ((265, 600),)
    assert spans(windows.recovery) == ((600, 965),)


def test_recovery_counts_from_the_last_irreversible_deed() -> None:
    story = Story(events=frame()).add(26_000, "inject-called", fault="kill").add(26_100, "deed", fault="kill")
    windows = find_windows(story.add(46_100, "observed", fault="kill").run())
    assert spans(windows.fault) == ((261, 461),)
    assert spans(windows.recovery) == ((261, 965),)


def test_a_fault_that_was_never_proven_leaves_onset_alone() -> None:
    windows = find_windows(Story().without("active").run())
    assert windows.fault is None
    assert spans(windows.onset) == ((260, 665),)


def test_a_fault_that_nothing_can_measure_begins_when_its_inject_returned() -> None:
    story = Story().without("active", "planned").add(4_000, "planned", fault="payments-down", provable=False)
    assert spans(find_windows(story.run()).fault) == ((261, 665),)


def test_a_run_that_never_came_so_far_has_no_windows() -> None:
    windows = find_windows(Story(events=[]).until(0).run())
    assert windows.present() == ()


@settings(deadline=None)
@given(called=st.integers(0, 900), proof=st.integers(0, 900), length=st.integers(0, 3_000), after=st.integers(0, 2_000))
def test_no_request_is_counted_in_two_phases(called: int, proof: int, length: int, after: int) -> None:
    start, proven = ZERO + called, ZERO + called + proof
    story = Story(events=[*frame(END), *fault_life(start=start, proven=proven, reverted=proven + length)])
    story.without("phase", name="end").add(proven + length + after, "phase", name="end")
    windows = find_windows(story.run())
    counted = [slot for window in windows.judged() for first, end in window.spans for slot in range(first, end)]
    assert len(counted) == len(set(counted))
    if windows.fault is not None:
        for first, end in windows.fault.spans:
            assert first * 100 >= proven
            assert end * 100 <= proven + length


def test_constants_of_the_story_are_what_the_tests_above_read() -> None:
    assert (PROVEN, REVERTED) == (26_500, 66_500)
