"""The HTML report of hostile text: shown, bounded and inert, in every field; only HTTP addresses are links."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gameday_reports.html import HtmlReport
from tests.fakes.page import Page, assert_inert, render
from tests.fakes.sample_run import small_run
from tests.fakes.spoilt_run import HOSTILE, spoilt_run


@pytest.mark.parametrize(
    ("runbook", "linked"),
    [
        ("https://runbooks.example.com/a?b=c", True),
        ("HTTP://x.example/y", True),
        ("runbooks/payments.md", False),
        ("javascript:alert(1)", False),
        ("https://x.example/\" onclick='alert(1)'", False),
        ("data:text/html,<script>", False),
        (" https://x.example", False),
    ],
)
def test_only_http_addresses_become_links(runbook: str, linked: bool) -> None:
    run = small_run()
    page = HtmlReport().render(replace(run, experiment={**run.experiment, "runbook": runbook}))
    assert_inert(page)
    targets = [found["href"] for tag, found in Page(page).tags if tag == "a" and "download" not in found]
    assert (runbook in targets) == linked
    assert not [
        target for target in targets if ":" in target and not target.lower().startswith(("http://", "https://"))
    ]


@pytest.mark.parametrize("spoil", HOSTILE)
def test_hostile_text_in_every_field_is_inert(spoil: str) -> None:
    page = HtmlReport().render(spoilt_run(spoil))
    assert_inert(page)
    assert Page(page).title.startswith("DIRTY: a fault may still be on · ")
    assert len(page) < 1_500_000


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(), max_size=40))
def test_any_text_in_every_field_is_inert(spoil: str) -> None:
    assert_inert(HtmlReport().render(spoilt_run(spoil)))


def test_a_hostile_title_is_shown_and_bounded() -> None:
    run = small_run()
    page = render(replace(run, verdict={**(run.verdict or {}), "title": "<b>bold</b> \u202e" + "x" * 10_000}))
    assert "<b>bold</b> ⟨U+202E⟩" in page.text("h1")
    assert len(page.text("h1")) < 400
    assert "(10,013 characters)" in page.text("h1")
