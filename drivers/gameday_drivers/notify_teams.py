"""Microsoft Teams: the webhook of a workflow ("Send webhook alerts to a channel") that is sent an Adaptive Card.

https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using: the message is an attachment
of the type ``application/vnd.microsoft.card.adaptive``; the older connectors and their MessageCard are retired. A card has at most 28 KB.
All text is in ``RichTextBlock``, in which Teams reads no Markdown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gameday.spi import Notice, Secrets
from gameday_drivers.notify_post import post_json

_COLORS = {"pass": "Good", "inconclusive": "Warning"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Teams:
    """Tell a channel of Microsoft Teams by the webhook of a workflow."""

    url: str
    ca: str = ""

    name = "teams"

    def send(self, notice: Notice, secrets: Secrets, seconds: float) -> None:
        """Send one message."""
        post_json(self.url, message(notice), secrets=secrets, seconds=seconds, ca=self.ca)


def message(notice: Notice) -> dict[str, Any]:
    """Return the payload of a webhook."""
    color = _COLORS.get(notice.verdict, "Attention") if notice.verdict else "Default"
    body = [_block([notice.headline], size="Large", weight="Bolder", color=color)]
    if notice.commands:
        body.append(_block([*notice.alarms, "Finish the job with:"], color="Attention"))
        body.append(_block(notice.commands, fontType="Monospace"))
    body += [_block([line]) for line in notice.lines]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": notice.headline,
        "msteams": {"width": "Full"},
        "body": body,
    }
    if notice.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Report", "url": notice.link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "summary": notice.headline, "attachments": [attachment]}


def _block(lines: Iterable[str], **style: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": "\n".join(lines), **style}]}
