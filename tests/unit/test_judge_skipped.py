"""A fault that found no target and was skipped keeps a run from passing, and the objectives judged."""

from __future__ import annotations

from tests.fakes.gauge_stories import gauge_story
from tests.fakes.judged import judged


def test_a_fault_that_found_no_target_and_was_skipped_is_inconclusive() -> None:
    story = gauge_story()
    story.events = [told for told in story.events if told[2].get("fault") is None and told[1] != "skipped"]
    story.add(4_000, "planned", fault="payments-down", driver="proxy.down", targets=[], reversible=True, provable=True)
    story.add(4_100, "skipped", what="fault", fault="payments-down", why="no target: shop is not running")
    document = judged(story)
    assert (document["verdict"], document["reasons"]) == ("inconclusive", ["skipped"])
    assert document["faults"][0]["detail"] == "it was skipped: no target: shop is not running"
    assert document["objectives"][0]["reason"] == "skipped"


def test_one_skipped_fault_of_two_keeps_the_run_from_passing_and_the_objectives_judged() -> None:
    story = gauge_story()
    second = {**story.file["faults"][0], "name": "other"}
    story.file["faults"] = [*story.file["faults"], second]
    story.add(4_100, "skipped", what="fault", fault="other", why="")
    document = judged(story)
    assert (document["verdict"], document["reasons"]) == ("inconclusive", ["skipped"])
    assert document["objectives"][0]["verdict"] == "pass"
