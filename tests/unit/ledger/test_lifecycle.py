"""The life of a finding: what opens, closes and reopens it, and what people said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.gamedays.ledger.facts import RunFacts, Statement
from gameday.gamedays.ledger.lifecycle import Finding, findings_of
from gameday.gamedays.ledger.people import said_of
from tests.fakes.ledger import BROKEN, DAY, LATE, occurrence, run


def only(*runs: RunFacts) -> Finding:
    (found,) = findings_of(runs)
    return found


def test_a_finding_is_open_from_the_run_that_has_it() -> None:
    found = only(run(1, "fail", BROKEN), run(2, "fail", BROKEN))
    assert (found.state, found.times, found.first.started, found.last.started) == ("open", 2, 1, 2)


def test_a_later_passing_run_closes_it() -> None:
    found = only(run(1, "fail", BROKEN), run(2))
    assert found.state == "closed"
    assert found.closed_by is not None
    assert found.closed_by.started == 2


@pytest.mark.parametrize(
    ("later", "why"),
    [
        (run(2, "inconclusive"), "nothing is proven"),
        (run(2, "inconclusive", proven={"available": "pass"}), "the run as a whole proved nothing"),
        (run(2, "fail", LATE, proven={"available": "pass", "fast": "fail"}), "it failed elsewhere"),
        (run(2, "aborted", proven={"available": "pass"}), "it did not come to its end"),
        (run(2, "dirty", proven={"available": "pass"}), "a fault may still be on"),
        (run(2, proven={"fast": "pass"}), "the objective is not in it any more"),
        (run(2, variant=(("rate", "100"),)), "another combination of the matrix"),
        (run(2, title="Another experiment"), "another hypothesis"),
        (run(2, "pass", BROKEN), "it passed, and has it all the same"),
        (run(0.5), "it is earlier"),
    ],
)
def test_nothing_else_closes_it(later: RunFacts, why: str) -> None:
    found = {one.fingerprint: one for one in findings_of([run(1, "fail", BROKEN), later])}
    assert found[BROKEN].state == "open", why


def test_what_did_not_prove_it_gone_is_counted() -> None:
    assert only(run(1, "fail", BROKEN), run(2, "inconclusive"), run(3, "inconclusive")).unproven == 2
    assert only(run(1, "fail", BROKEN), run(2, "inconclusive"), run(3, "fail", BROKEN)).unproven == 0
    assert only(run(1, "fail", BROKEN), run(2, "inconclusive"), run(3)).unproven == 0


def test_that_the_file_was_changed_in_between_is_told() -> None:
    assert not only(run(1, "fail", BROKEN), run(2)).changed
    assert only(run(1, "fail", BROKEN), run(2, digest="another")).changed
    assert not only(run(1, "fail", BROKEN), run(2, "fail", BROKEN, digest="another")).changed, "it is open"


def test_a_regression_reopens_it_and_another_pass_closes_it_again() -> None:
    back = only(run(1, "fail", BROKEN), run(2), run(3, "fail", BROKEN))
    assert (back.state, back.reopened, back.closed_by) == ("reopened", 1, None)
    again = only(run(1, "fail", BROKEN), run(2), run(3, "fail", BROKEN), run(4))
    assert (again.state, again.reopened) == ("closed", 1)


def test_a_finding_about_the_run_as_a_whole_is_closed_by_any_pass() -> None:
    assert only(run(1, "fail", occurrence(BROKEN, objective="")), run(2, proven={"other": "pass"})).state == "closed"


def test_its_severity_is_that_of_the_last_run_and_the_worst_is_kept() -> None:
    found = only(run(1, "fail", occurrence(BROKEN, "high")), run(2, "fail", occurrence(BROKEN, "low")), run(3))
    assert (found.latest.severity, found.worst, found.state) == ("low", "high", "closed")


def test_one_that_a_run_has_twice_is_as_severe_as_the_worse() -> None:
    found = only(run(1, "fail", occurrence(BROKEN, "low"), occurrence(BROKEN, "high")))
    assert (found.latest.severity, found.times) == ("high", 1)


def test_good_news_are_no_findings() -> None:
    assert findings_of([run(1, "pass", occurrence(BROKEN, "info"))]) == ()


def test_one_finding_in_two_combinations_is_open_while_it_is_in_either() -> None:
    slow, fast = (("rate", "10"),), (("rate", "100"),)
    runs = [run(1, "fail", BROKEN, variant=slow), run(2, "fail", BROKEN, variant=fast), run(3, variant=slow)]
    found = only(*runs)
    assert (found.state, found.times) == ("open", 2)
    assert found.open_in == (f"{runs[0].title} (rate=100)",)
    closed = only(*runs, run(4, variant=fast))
    assert closed.state == "closed"
    assert closed.closed_by is not None
    assert closed.closed_by.started == 4


def test_open_ones_come_first_and_then_the_worst() -> None:
    runs = [
        run(1, "fail", occurrence("c" * 16, "high", "gone")),
        run(2, proven={"gone": "pass"}),
        run(3, "fail", occurrence("2" * 16, "low"), occurrence("3" * 16, "high")),
    ]
    assert [one.fingerprint[0] for one in findings_of(runs)] == ["3", "2", "c"]


def said(at: float, value: str, origin: str = "run:r", key: str = "owner") -> Statement:
    return Statement(fingerprint=BROKEN, key=key, value=value, at=at, origin=origin)


@pytest.mark.parametrize(
    ("statements", "owner"),
    [
        ([said(1, "a"), said(2, "b")], "b"),
        ([said(1, "a"), said(2, "me", "person:me")], "me"),
        ([said(1, "a"), said(2, "me", "person:me"), said(3, "a")], "me"),  # the file only repeats itself
        ([said(1, "a"), said(2, "me", "person:me"), said(3, "b")], "b"),  # the file says something new
        ([said(1, "a"), said(2, "", "person:me")], None),
        ([said(1, "a"), said(2, "", "person:me"), said(3, "a", "file:x")], None),
        ([said(1, "a"), said(2, "b"), said(3, "a", "file:x")], "a"),
    ],
)
def test_the_latest_word_holds_and_a_repeated_file_is_no_word(statements: list[Statement], owner: str | None) -> None:
    assert said_of(reversed(statements)).get(BROKEN, {}).get("owner") == owner


def test_it_is_overdue_when_its_day_is_over_in_utc_and_it_is_open() -> None:
    due = [said(0, "1970-01-02", key="due")]
    (found,) = findings_of([run(1, "fail", BROKEN)], due)
    assert not found.overdue(2 * DAY - 1)
    assert found.overdue(2 * DAY)
    (closed,) = findings_of([run(1, "fail", BROKEN), run(2)], due)
    assert not closed.overdue(9 * DAY)
    assert not replace(found, said={"due": "soon"}).overdue(9 * DAY)


RUNS = st.lists(
    st.tuples(
        st.sampled_from(["pass", "fail", "inconclusive", "aborted", "dirty"]), st.sets(st.sampled_from([BROKEN, LATE]))
    ),
    max_size=8,
)


@given(series=RUNS, data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_order_of_what_is_told_changes_nothing(series: list[tuple[str, set[str]]], data: st.DataObject) -> None:
    runs = [run(at, verdict, *sorted(found)) for at, (verdict, found) in enumerate(series)]
    assert findings_of(data.draw(st.permutations(runs))) == findings_of(runs)


@given(series=RUNS)
@settings(max_examples=60, deadline=None)
def test_every_closed_one_has_a_later_pass_without_it_and_every_open_one_has_none(
    series: list[tuple[str, set[str]]],
) -> None:
    runs = [run(at, verdict, *sorted(found)) for at, (verdict, found) in enumerate(series)]
    for one in findings_of(runs):
        after = [two for two in runs if two.order > one.last.order]
        assert all(one.fingerprint not in {had.fingerprint for had in two.findings} for two in after)
        assert (one.state == "closed") == any(two.verdict == "pass" for two in after)
