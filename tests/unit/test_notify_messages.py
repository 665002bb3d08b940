"""What is told: the verdict first, what may still be on before everything, bounded, and escaped for each medium."""

from __future__ import annotations

import json
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.model import Event
from gameday.notify import notices
from gameday.notify.outbox import Outbox
from gameday.notify.telling import Teller, report_link
from gameday.schema.notify import Channel
from gameday.spi import Notice, NotSentError
from gameday_drivers import notify_slack, notify_teams
from gameday_drivers.notify_email import letter
from gameday_drivers.notify_post import as_body

WALL = 1_790_000_000.5
HOSTILE = (
    "<!channel> & <https://evil.example|click> *b* [a](http://evil.example) ${slack_url}\r\nBcc: x@evil.example\x1b[31m"
)


def verdict(**changes: Any) -> dict[str, Any]:
    fault = {"criterion": "errors < 5%", "n": 6000, "k": 812}
    return {
        "run": "20261123T101500Z-payments-9c1d",
        "title": "Checkout survives a payments outage",
        "verdict": "fail",
        "reasons": ["broken"],
        "summary": "1 in 7 checkouts failed.",
        "stopped": None,
        "residue": [],
        "objectives": [
            {"name": "available", "verdict": "fail", "reason": "broken", "criteria": [{"phases": {"fault": fault}}]},
            {
                "name": "paged",
                "verdict": "fail",
                "reason": "broken",
                "criteria": [],
                "alert": {"name": "Burn", "fired_ms": None},
            },
        ],
        **changes,
    }


DIRTY = {
    "verdict": "dirty",
    "reasons": ["residue"],
    "residue": [
        {"fault": "down", "targets": ["proxy payments"], "command": "gameday recover 20261123T101500Z-payments-9c1d"},
        {"fault": "slow", "targets": ["proxy payments"], "command": "gameday recover 20261123T101500Z-payments-9c1d"},
    ],
}


def told(**changes: Any) -> Notice:
    return notices.judged(verdict(**changes), environment=("staging",), wall=WALL, link="https://ci.example/1")


def test_the_verdict_comes_first_and_the_numbers_below() -> None:
    rows = told().text().splitlines()
    assert rows == [
        "FAIL: Checkout survives a payments outage",
        "",
        "1 in 7 checkouts failed.",
        "Reasons: broken",
        "fail available (broken): errors < 5%: 812 bad of 6,000",
        "fail paged (broken): Burn did not fire",
        "Environment: staging",
        "Run: 20261123T101500Z-payments-9c1d",
        "Report: https://ci.example/1",
    ]


def test_what_may_still_be_on_comes_before_everything_with_its_command_once() -> None:
    notice = told(**DIRTY)
    assert notice.event == "dirty"
    assert notice.text().splitlines()[:5] == [
        "DIRTY: Checkout survives a payments outage",
        "May still be on: down (proxy payments)",
        "May still be on: slow (proxy payments)",
        "Finish the job with:",
        "    gameday recover 20261123T101500Z-payments-9c1d",
    ]
    blocks = notify_slack.message(notice)["blocks"]
    assert [block["type"] for block in blocks[:3]] == ["header", "section", "rich_text"]
    assert "gameday recover" in json.dumps(blocks[2])
    card = notify_teams.message(notice)["attachments"][0]["content"]
    assert "gameday recover" in card["body"][2]["inlines"][0]["text"]


@given(text=st.text(max_size=2000), many=st.integers(0, 60))
def test_whatever_is_in_it_every_message_is_bounded_and_whole(text: str, many: int) -> None:
    objective: dict[str, Any] = {"name": text, "verdict": "fail", "reason": "broken", "criteria": []}
    notice = told(title=text, summary=text, reasons=[text] * many, objectives=[objective] * many)
    slack = notify_slack.message(notice)
    assert len(slack["blocks"]) <= 50
    assert 0 < len(slack["blocks"][0]["text"]["text"]) <= 150
    assert all(len(block["text"]["text"]) <= 3000 for block in slack["blocks"] if block["type"] == "section")
    assert len(json.dumps(notify_teams.message(notice))) < 28 * 1024 * 2
    assert all("\n" not in line and (not line or line.isprintable()) for line in notice.text().splitlines())
    sent = message_from_bytes(letter(notice, "a@b.example", ["c@d.example"]).as_bytes(), policy=default)
    assert sent["To"] == "c@d.example"
    assert sent.keys().count("Subject") == 1
    assert sent["Bcc"] is None


def test_nothing_from_outside_is_markup_in_slack() -> None:
    notice = told(title=HOSTILE, summary=HOSTILE)
    payload = notify_slack.message(notice)
    assert "<" not in payload["text"]
    assert "&lt;!channel&gt; &amp;" in payload["text"]
    texts = [block["text"]["type"] for block in payload["blocks"] if "text" in block]
    assert set(texts) == {"plain_text"}


def test_nothing_from_outside_is_markdown_in_teams() -> None:
    card = notify_teams.message(told(title=HOSTILE))["attachments"][0]["content"]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Report", "url": "https://ci.example/1"}]


def test_nothing_from_outside_is_a_header_of_a_mail() -> None:
    mail = letter(told(title=HOSTILE), "gameday@b.example", ["c@d.example"])
    sent = message_from_bytes(mail.as_bytes(), policy=default)
    assert sent["Bcc"] is None
    assert sent["Subject"].startswith("[gameday] FAIL: <!channel>")
    assert sent["Message-ID"].endswith("@gameday>")


def test_no_text_is_a_reference_to_a_secret() -> None:
    body = as_body(told(title=HOSTILE).to_json())
    assert "${" not in body
    assert "${slack_url}" in json.loads(body)["title"]


@pytest.mark.parametrize("link", ["javascript:alert(1)", "file:///etc/passwd", "https://a b", "https://a\n"])
def test_a_link_is_a_web_address_or_left_out(link: str) -> None:
    assert notices.judged(verdict(), wall=WALL, link=link).link == ""


def test_masked_means_everywhere() -> None:
    notice = told(**DIRTY, summary="uses hunter2").masked(lambda text: text.replace("proxy", "***"))
    assert "proxy" not in notice.text()


@pytest.mark.parametrize(
    ("on", "heard"),
    [
        (None, ["abort", "fail", "dirty"]),
        (["start"], ["start", "dirty"]),
        (["end"], ["pass", "fail", "dirty"]),
        (["fail"], ["fail", "dirty"]),
        (["dirty"], ["dirty"]),
        (["start", "abort", "end"], ["start", "abort", "pass", "fail", "dirty"]),
    ],
)
def test_who_wants_what(on: list[str] | None, heard: list[str]) -> None:
    raw = {"webhook": "https://hooks.example.com", **({"on": on} if on else {})}
    channel = Channel.model_validate(raw)
    events = {
        "start": ("start", ""),
        "abort": ("abort", ""),
        "pass": ("end", "pass"),
        "fail": ("end", "fail"),
        "dirty": ("dirty", "dirty"),
    }
    assert [name for name, event in events.items() if channel.wants(*event)] == heard


class _Box(Outbox):
    def __init__(self) -> None:
        self.posted: list[Notice] = []

    def post(self, notice: Notice) -> None:
        self.posted.append(notice)


def test_a_run_tells_of_its_start_its_abort_and_its_end_once_each() -> None:
    box = _Box()
    teller = Teller(box, title="T", link="https://ci.example/1", now=lambda: WALL)
    policy = [{"file": "gameday.toml", "environments": ["staging"]}, {"file": "b", "environments": ["staging"]}]
    records: list[tuple[str, dict[str, Any]]] = [
        ("opened", {"run_id": "R", "policy": policy}),
        ("watchdog-started", {"pid": 1}),
        ("phase", {"name": "warmup"}),
        ("abort", {"reason": "guard", "detail": "errors lose 2 s"}),
    ]
    for seq, (kind, data) in enumerate(records):
        teller(Event(seq=seq, kind=kind, at_ms=seq, wall=WALL, data=data))
    teller.ended(verdict(verdict="aborted"))
    assert [(one.event, one.verdict) for one in box.posted] == [("start", ""), ("abort", ""), ("end", "aborted")]
    assert {one.environment for one in box.posted} == {("staging",)}
    assert "errors lose 2 s" in box.posted[1].summary
    assert len({one.id for one in box.posted}) == 3


@pytest.mark.parametrize(
    ("given", "environ", "link"),
    [
        ("https://a.example", {"CI_JOB_URL": "https://b.example"}, "https://a.example"),
        ("", {"CI_JOB_URL": "https://gitlab.example/1"}, "https://gitlab.example/1"),
        ("", {"BUILD_URL": "https://jenkins.example/1"}, "https://jenkins.example/1"),
        (
            "",
            {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "7"},
            "https://github.com/o/r/actions/runs/7",
        ),
        ("", {}, ""),
    ],
)
def test_where_the_report_is(given: str, environ: dict[str, str], link: str) -> None:
    assert report_link(given, environ) == link


def test_an_error_says_whether_another_try_may_help() -> None:
    assert NotSentError("x").again
    assert not NotSentError("x", again=False).again
