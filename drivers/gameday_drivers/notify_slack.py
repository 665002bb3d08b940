"""Slack: an incoming webhook that is sent blocks, with plain text for notifications and screen readers.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and …/reference/block-kit/blocks: a header has at most 150
characters, a section 3,000. All text is ``plain_text`` or preformatted, in which Slack reads no markup; in the fallback ``&``, ``<`` and
``>`` are escaped, so that nothing from outside can mention a channel or make a link.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gameday.spi import Notice, Secrets
from gameday.spi.notifier import one_line
from gameday_drivers.notify_post import post_json

HEADER = 150
SECTION = 3000
_FALLBACK = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """Tell a channel of Slack by an incoming webhook."""

    url: str
    ca: str = ""

    name = "slack"

    def send(self, notice: Notice, secrets: Secrets, seconds: float) -> None:
        """Send one message."""
        post_json(self.url, message(notice), secrets=secrets, seconds=seconds, ca=self.ca)


def message(notice: Notice) -> dict[str, Any]:
    """Return the payload of a webhook."""
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(one_line(notice.headline, HEADER))}]
    if notice.commands:
        blocks.append(_section("\n".join((*notice.alarms, "Finish the job with:"))))
        blocks.append(_preformatted("\n".join(notice.commands)))
    if notice.lines:
        blocks.append(_section("\n".join(notice.lines)))
    if notice.link:
        blocks.append(_link(notice.link))
    return {"text": _escaped(notice.text()[:_FALLBACK]), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _plain(text[:SECTION])}


def _preformatted(text: str) -> dict[str, Any]:
    inner = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text[:SECTION]}]}
    return {"type": "rich_text", "elements": [inner]}


def _link(url: str) -> dict[str, Any]:
    inner = {"type": "rich_text_section", "elements": [{"type": "link", "url": url, "text": "Report"}]}
    return {"type": "rich_text", "elements": [inner]}


def _escaped(text: str) -> str:
    """Escape as https://docs.slack.dev/messaging/formatting-message-text asks for."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
