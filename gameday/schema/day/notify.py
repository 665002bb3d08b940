"""``notify:`` and ``silence_alerts:`` who is told of a day, and which alerts are silenced while it is on."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from gameday.schema.fields import Line, Url
from gameday.schema.marks import Check
from gameday.schema.section import Section, key

Event = Literal["start", "abort", "end", "fail", "dirty"]
CHANNELS = ("slack", "teams", "webhook", "email")
_ADDRESS = re.compile(r"[^\s@<>,;\"]{1,64}@[^\s@<>,;\"]{1,255}")
_SMTP = re.compile(r"smtps?://[^\s/?#]+/?", re.IGNORECASE)


def _address(text: str) -> str:
    if "${" not in text and not _ADDRESS.fullmatch(text):
        raise ValueError(f"not an e-mail address: {text!r}; write one like sre@example.com")
    return text


def _smtp(text: str) -> str:
    if "${" not in text and not _SMTP.fullmatch(text):
        raise ValueError("not the URL of a mail server; write one like smtp://mail.example.com:587")
    return text


def _secret(text: str) -> str:
    if not re.fullmatch(r"\$\{[^{}$]+\}", text):
        raise ValueError("must be a secret variable; declare it: variables: {key: {env: KEY, secret: true}}")
    return text


Address = Annotated[Line, Check(_address)]
SmtpUrl = Annotated[Line, Check(_smtp)]
SecretReference = Annotated[str, Check(_secret)]


class Channel(Section):
    """Who is told, by which means, and of what."""

    slack: Url | None = key(default=None, description="an incoming webhook of Slack", examples=["${slack_url}"])
    teams: Url | None = key(default=None, description="a webhook of a Teams workflow", examples=["${teams_url}"])
    webhook: Url | None = key(
        default=None, description="a URL that is sent JSON", examples=["https://hooks.example.com/x"]
    )
    secret: SecretReference | None = key(
        default=None, description="the key that signs what a webhook is sent", examples=["${key}"]
    )
    email: Address | None = key(default=None, description="an address", examples=["sre@example.com"])
    smtp: SmtpUrl | None = key(default=None, description="the mail server", examples=["smtp://127.0.0.1:25"])
    sender: Address | None = key(default=None, alias="from", description="the sender's address")
    on: tuple[Event, ...] = key(
        default=(),
        description="what is told; default: an abort, and an end that is no pass",
        examples=[["start", "end"]],
    )

    def agree(self) -> None:
        """Raise ValueError when it is not exactly one means, or has keys of another."""
        if len([name for name in CHANNELS if getattr(self, name) is not None]) != 1:
            raise ValueError("needs exactly one of slack, teams, webhook and email")
        if self.secret is not None and self.webhook is None:
            raise ValueError("needs a webhook for its secret")
        if self.email is None and (self.smtp is not None or self.sender is not None):
            raise ValueError("needs an email for smtp and from")


SilencedAlerts = tuple[Line, ...]
"""Names of alerts."""
