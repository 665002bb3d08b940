"""Markdown: the same words and numbers as the page, in its order."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from gameday.spi import Renderer, Together
from gameday_reports.github import MOST_BYTES, GithubSummary
from gameday_reports.markdown import MarkdownReport
from gameday_reports.markdown_text import block, code, escape, strong
from tests.fakes.sample_facts import NAME, OUTCOMES, Outcome
from tests.fakes.sample_run import sample_run
from tests.fakes.showcase import showcase


def said(data: bytes) -> str:
    """The text as it is read: without escapes and breaks."""
    text = data.decode().replace("\u200b", "").replace("&lt;", "<").replace("&gt;", ">").replace("&#124;", "|")
    return re.sub(r"\\(?=[!-/:-@\[-`{-~])", "", text.replace("&amp;", "&"))


def test_they_are_renderers() -> None:
    for report, name, filename in (
        (MarkdownReport(), "markdown", "report.md"),
        (GithubSummary(), "github", "summary.md"),
    ):
        assert isinstance(report, Renderer)
        assert isinstance(report, Together)
        assert (report.name, report.filename) == (name, filename)
        with pytest.raises(ValueError, match="not been judged"):
            report.render(replace(sample_run("pass", baseline_s=4, fault_s=4, recovery_s=12), verdict=None))


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("report", [MarkdownReport(), GithubSummary()], ids=lambda report: report.name)
def test_every_number_is_that_of_the_verdict(outcome: Outcome, report: MarkdownReport | GithubSummary) -> None:
    run = sample_run(outcome, baseline_s=4, fault_s=4, recovery_s=12)
    assert run.verdict is not None
    text = said(report.render(run))
    assert run.verdict["summary"] in text
    for objective in run.verdict["objectives"]:
        assert f"**{objective['name']}**" in text
        for criterion in objective["criteria"]:
            assert f"`{criterion['expect']}`" in text
            for name in ("baseline", "fault"):
                phase = criterion["phases"].get(name)
                assert phase is None or f"{phase['k']:,} of {phase['n']:,} " in text
        budget = objective["budget"]
        assert f"{budget['bad']:,} of {budget['total']:,} bad" in text
    for endpoint in run.verdict["load"]["by_endpoint"]:
        assert f"| {endpoint['name']} | {endpoint['n']:,} | {endpoint['bad']:,} |" in text
    for finding in run.verdict["findings"]:
        assert finding["title"] in text
        assert finding["next"] in text


def test_the_verdict_is_first_and_a_dirty_run_says_what_to_do_before_all_else() -> None:
    first = {
        outcome: MarkdownReport().render(sample_run(outcome, baseline_s=4, fault_s=4, recovery_s=12)).decode()
        for outcome in OUTCOMES
    }
    assert first["pass"].startswith("# ✓ Passed · Checkout survives a payments outage\n\n**While")
    assert first["inconclusive"].startswith("# ? Inconclusive · ")
    assert first["aborted"].startswith("# ■ Aborted · ")
    alarm = f"**A fault may still be on. Finish the job with:**\n\n```text\ngameday recover {NAME}\n```\n"
    assert first["dirty"].startswith(
        f"# ! DIRTY: a fault may still be on · Checkout survives a payments outage\n\n{alarm}"
    )
    assert "may still be on" not in first["fail"]


def test_parts_are_in_the_order_of_the_page() -> None:
    text = MarkdownReport().render(showcase("fail")).decode()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
        "Findings", "Action items", "Objectives", "Timeline", "Faults and guards", "Load", "Beside the last run", "Run it again",
    ]  # fmt: skip


def test_alerts_actions_and_the_last_run_are_told() -> None:
    run = showcase("fail")
    text = said(MarkdownReport().render(run))
    assert run.remarks
    for remark in run.remarks.values():
        assert f"- [ ] **{remark['action']}** (" in text
    assert run.previous is not None
    assert f"With `{run.previous['run']}`" in text
    assert re.search(r"\| checkout-available \| errors < 5%, while it was on \| .* \| worse, beyond chance \|", text)
    assert "**on-call-is-paged**" in text
    bare = MarkdownReport().render(sample_run("pass", baseline_s=4, fault_s=4, recovery_s=12)).decode()
    assert "Beside the last run" not in bare


@pytest.mark.parametrize("runs", [1, 2, 14])
def test_the_summary_stays_small_and_whole_and_has_the_worst_run_first(runs: int) -> None:
    some = [sample_run(outcome, baseline_s=4, fault_s=4, recovery_s=12, objectives=12) for outcome in ("pass", "fail")]
    data = GithubSummary().render_together([some[0]] * (runs - 1) + [some[1]])
    text = data.decode()
    assert len(data) < MOST_BYTES == 60_000
    verdicts = re.findall(r"^### (.) ", text, re.MULTILINE)
    assert verdicts[0] == "✕"
    assert text.count("<details>") == text.count("</details>")
    assert text.count("```") % 2 == 0
    assert ("### gameday" in text) == (runs > 1)
    assert ("More is in the report" in text) == (runs >= 12)


def test_one_enormous_part_is_left_out_whole() -> None:
    run = sample_run("fail", baseline_s=4, fault_s=4, recovery_s=12, objectives=150)
    data = GithubSummary().render(run)
    assert len(data) < MOST_BYTES
    assert b"#### Objectives" not in data
    assert b"#### Run it again" in data
    assert b"More is in the report" in data


def test_code_to_be_copied_is_exact_and_cannot_end_its_block() -> None:
    assert block(["gameday recover '```x````'", "a\n```\nb"]) == [
        "`````text", "gameday recover '```x````'", "a ``` b", "`````", "",
    ]  # fmt: skip
    assert code("p95 < 300ms") == "`p95 < 300ms`"
    assert code("a`b") == "<code>a\\`b</code>"
    assert code("a|b") == "<code>a&#124;b</code>"
    assert (code(" "), strong(" ")) == ("", "")
    assert escape("p95 < 300 ms, 2.1% of 1,800 at 10:00:05") == "p95 &lt; 300 ms, 2.1% of 1,800 at 10:00:05"
