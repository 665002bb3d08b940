"""Whatever text comes in, in every field of every input: it acts in no format, and no format changes its structure by it.

HTML has tests of its own, in a parser and in a browser.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from gameday.registry import renderers
from tests.fakes.hostile_run import TEXTS, hostile_run
from tests.fakes.openmetrics import families
from tests.fakes.sample_facts import OUTCOMES, Outcome
from tests.fakes.sample_run import sample_run

ADDRESS = "https://runbooks.example.com/payments-down"
OURS = {"<details>", "</details>", "<summary>", "</summary>", "<br>", "<code>", "</code>"}
LOOKED_FOR = re.compile(
    r"@\w|[#!$%&^~](?=[\w\"'])|:[a-z_+-]\w*:|(?<!\d):\d+:|\bwww\.|\w://|\bgh-\d|\[\[|[\[{][+-]", re.IGNORECASE
)
"""What GitHub and GitLab look for in the finished text."""


READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def parsed(data: bytes) -> list[Token]:
    """Every token of a Markdown document, those within a line too, as GitHub's dialect reads it."""
    found: list[Token] = []
    for token in READER.parse(data.decode()):
        found += [token, *(token.children or [])]
    return found


def assert_markdown(data: bytes) -> None:
    tokens = parsed(data)
    for token in tokens:
        if token.type in ("html_inline", "html_block"):
            tags = re.findall(r"<[^>]*>", token.content)
            assert set(tags) <= OURS
            assert not re.sub(r"<summary>[^<]*</summary>|<[^>]*>", "", token.content).strip()
        if token.type == "link_open":
            assert token.attrGet("href") == ADDRESS
        if token.type == "text" and token.content != ADDRESS:
            assert not LOOKED_FOR.search(token.content), token.content
        assert token.type not in ("image", "hr", "blockquote_open", "code_block", "s_open", "em_open")
        assert token.type != "ordered_list_open"
    outside = re.sub(r"^(`{3,})text\n.*?^\1$", "", data.decode(), flags=re.MULTILINE | re.DOTALL)
    assert not re.search("^/", outside, re.MULTILINE), "a quick action of GitLab"
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", data.decode())


def structure(data: bytes) -> Counter[str]:
    """How many blocks of each kind a Markdown document has, how much of it is in code font, and the bars of its tables."""
    kinds = (
        "heading_open",
        "table_open",
        "tr_open",
        "th_open",
        "td_open",
        "fence",
        "html_block",
        "code_inline",
    )
    found = Counter(token.type for token in parsed(data) if token.type in kinds)
    found["code_inline"] += data.count(b"<code>")
    found["|"] = sum(line.count(b"|") for line in data.split(b"\n") if line.startswith(b"|"))
    return found


def bold(data: bytes) -> int:
    return sum(token.type == "strong_open" for token in parsed(data))


@cache
def plain(form: str, outcome: Outcome) -> tuple[Counter[str], int]:
    """Structure and bold texts of a run whose texts are all calm."""
    [renderer] = renderers([form])
    data = renderer.render(hostile_run(outcome, "x"))
    return structure(data), bold(data)


def assert_junit(data: bytes) -> None:
    root = fromstring(data)
    assert {element.tag for element in root.iter()} <= {
        "testsuites", "testsuite", "testcase", "properties", "property", "failure", "error", "skipped", "system-out",
    }  # fmt: skip


def assert_metrics(data: bytes) -> None:
    assert all(family.name.startswith("gameday_") and family.type == "gauge" for family in families(data))
    assert data.count(b"# EOF") == 1 + data.count(b"\\n# EOF")
    assert data.endswith(b"\n# EOF\n")


def assert_csv(data: bytes) -> None:
    text = data.decode()
    assert "\n" not in text.replace("\r\n", "")
    for row in csv.DictReader(io.StringIO(text, newline=""), strict=True):
        assert None not in row
        assert None not in row.values()
        for name, cell in row.items():
            assert not re.match(r"\s*[=+@|%\uff0b\uff0d\uff1d\uff20]", cell)
            assert not cell.startswith("-") or name == "value", "a negative number is one"


def assert_commands(data: bytes) -> None:
    lines = data.decode().split("\n")
    assert lines.pop() == ""
    for line in lines:
        assert re.fullmatch(r"::(error|warning) (?:[a-z]+=[^:,\r\n]*)(?:,[a-z]+=[^:,\r\n]*)*::[^\r\n]*", line)
        assert not re.search("[\r\v\f\x1c-\x1e\x85\u2028\u2029]", line)
    assert len(lines) <= 20


CHECKS: dict[str, Callable[[bytes], None]] = {
    "csv": assert_csv,
    "github": assert_markdown,
    "github-annotations": assert_commands,
    "junit": assert_junit,
    "markdown": assert_markdown,
    "openmetrics": assert_metrics,
}


@pytest.mark.parametrize("form", CHECKS)
@pytest.mark.parametrize("text", TEXTS, ids=[f"{index}-{text[:12]!a}" for index, text in enumerate(TEXTS)])
def test_no_text_acts_in_any_format(form: str, text: str) -> None:
    [renderer] = renderers([form])
    outcomes: tuple[Outcome, ...] = ("dirty", "inconclusive") if form == "github-annotations" else ("dirty",)
    for outcome in outcomes:
        data = renderer.render(hostile_run(outcome, text))
        CHECKS[form](data)
        assert len(data) < 300_000
        if form in ("github", "markdown"):
            found, (calm, most) = structure(data), plain(form, outcome)
            if not text.strip():  # an empty name has no code font
                found["code_inline"] = calm["code_inline"]
            assert found == calm
            assert bold(data) <= most, "punctuation may keep a text from being bold"


@pytest.mark.parametrize("form", CHECKS)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_holds_for_hostile_text_holds_for_all_runs(form: str, outcome: Outcome) -> None:
    [renderer] = renderers([form])
    CHECKS[form](renderer.render(sample_run(outcome, baseline_s=4, fault_s=4, recovery_s=12)))


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec=None), max_size=40))
def test_nor_does_any_other(text: str) -> None:
    run = hostile_run("dirty", text)
    for form in ("csv", "github-annotations", "junit", "openmetrics", "github"):
        [renderer] = renderers([form])
        CHECKS[form](renderer.render(run))
