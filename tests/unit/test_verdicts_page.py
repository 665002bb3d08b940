"""docs/verdicts.md says what the code does: its numbers, and every way in which another tool ends green without proof."""

from __future__ import annotations

import re

import pytest

from bench.falsegreen.table import PAGE, Row, committed, rewrite, table, ways
from bench.falsegreen.ways import WAYS, Ended
from gameday.judge.binomial import fail_limit, pass_limit, samples_needed
from gameday.judge.chance import lower_bound

TEXT = PAGE.read_text()


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_the_table_has_every_way_and_ours_never_ends_green() -> None:
    found = committed()
    assert set(found) == {way.says for way in WAYS}
    assert {peer for peer, _ in found.values()} == {0}, "a row that the other tool sees has no business here"
    assert {ours for _, ours in found.values()} <= {1, 2, 3, 4, 5}


def test_ways_have_names_and_words_of_their_own() -> None:
    assert len({way.name for way in WAYS}) == len({way.says for way in WAYS}) == len(WAYS)
    assert [way.name for way in ways(["too-few"])] == ["too-few"]
    assert ways([]) == WAYS
    with pytest.raises(ValueError, match="no such way: to-few; there are broken-before"):
        ways(["to-few"])


def test_a_new_table_replaces_the_one_that_is_there() -> None:
    row = Row(says="something", peer=0, ours=Ended(code=3, says="inconclusive: no-data"))
    new = rewrite(TEXT, table([row], "these versions"))
    assert "| something | 0 | 3 | inconclusive: no-data |" in new
    assert "Measured with these versions." in new
    assert WAYS[0].says not in new
    assert new.partition("<!--")[0] == TEXT.partition("<!--")[0]
    with pytest.raises(ValueError, match="one block"):
        rewrite("no place", "")


def test_the_limits_that_the_page_names_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| ([\d.]+) % \| ([\d,]+) \| (\d+) bad \| (\d+) bad \|$", TEXT, re.MULTILINE)
    assert len(rows) == 4
    for budget, n, passes, fails in rows:
        share = float(budget) / 100
        assert (pass_limit(number(n), share), fail_limit(number(n), share)) == (int(passes), int(fails))


def test_the_samples_that_the_page_names_are_those_of_the_code() -> None:
    said = re.search(r"It takes (\d+) for a budget of 5 %, (.*?)\.\n?\s*`gameday plan`", TEXT, re.DOTALL)
    assert said is not None
    assert int(said[1]) == samples_needed(0.05)
    pairs = re.findall(r"([\d,]+) for ([\d.]+) %", said[2])
    assert len(pairs) == 4
    assert all(number(n) == samples_needed(float(budget) / 100) for n, budget in pairs)


def test_what_repeats_prove_is_what_the_code_says() -> None:
    rows = re.findall(r"^\| (\d+) of (\d+) \| ([\d.]+) % \|$", TEXT, re.MULTILINE)
    assert len(rows) == 5
    assert all(f"{100 * lower_bound(int(k), int(n)):.1f}" == share for k, n, share in rows)
