"""The section ``notify:``, who is told of a run or a game day, by which means and of what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from gameday.schema.document import Document
from gameday.schema.fields import Argument, Line, Url
from gameday.schema.marks import Before, Check, Form
from gameday.schema.nodes import Node, as_list, as_mapping, locate
from gameday.schema.quantities import shown
from gameday.schema.section import Section, key

Event = Literal["start", "abort", "end", "fail", "dirty"]
CHANNELS = ("slack", "teams", "webhook", "email")
DEFAULT_EVENTS: tuple[Event, ...] = ("abort", "fail", "dirty")
"""Quiet: nothing is said of a run that starts, or that passes."""
_SECRET_URLS = ("slack", "teams")
"""Whoever has such a URL can write there: it is a secret."""
_ADDRESS = re.compile(r"[^\s@<>,;:\"\\]{1,64}@[^\s@<>,;:\"\\]{1,255}")
_SMTP = re.compile(r"smtps?://[^\s/?#]+/?", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_LOOPBACK = ("localhost", "::1")


def _address(text: str) -> str:
    if "${" not in text and not _ADDRESS.fullmatch(text):
        raise ValueError(f"not an e-mail address: {shown(text)}; write one like sre@example.com")
    return text


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _smtp(text: str) -> str:
    if not _REFERENCE.fullmatch(text) and not _SMTP.fullmatch(_REFERENCE.sub("x", text)):
        raise ValueError("not the URL of a mail server; write one like smtp://mail.example.com:587")
    return text


def _secret(text: str) -> str:
    if not _REFERENCE.fullmatch(text):
        raise ValueError("must be a secret variable; declare it: variables: {key: {env: HOOK_KEY, secret: true}}")
    return text


Address = Annotated[Line, Check(_address)]
Addresses = Annotated[
    tuple[Address, ...],
    Before(_listed),
    Form({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
SmtpUrl = Annotated[Line, Check(_smtp)]
SecretReference = Annotated[str, Check(_secret)]


class Channel(Section):
    """Who is told, by exactly one of slack, teams, webhook and email, and of what."""

    slack: Url | None = key(default=None, description="an incoming webhook of Slack", examples=["${slack_url}"])
    teams: Url | None = key(default=None, description="the webhook of a Teams workflow", examples=["${teams_url}"])
    webhook: Url | None = key(
        default=None, description="a URL that is sent JSON", examples=["https://hooks.example.com/gameday"]
    )
    secret: SecretReference | None = key(
        default=None, description="the key that signs what a webhook is sent; a secret variable", examples=["${key}"]
    )
    email: Addresses | None = key(default=None, least=1, description="one address or several", examples=["a@b.example"])
    smtp: SmtpUrl | None = key(
        default=None,
        description="the mail server; default: this machine's, smtp://127.0.0.1:25",
        examples=["smtp://bot:${mail_password}@mail.example.com:587"],
    )
    sender: Address | None = key(default=None, alias="from", description="the sender's address")
    ca: Argument | None = key(default=None, description="PEM file to check the receiver's certificate with")
    on: tuple[Event, ...] = key(
        default=DEFAULT_EVENTS,
        least=1,
        description="what is told: start, abort, end (every end), fail (an end that is no pass), dirty (always told)",
        examples=[["start", "abort", "end"]],
    )

    def agree(self) -> None:
        """Raise ValueError when it is not exactly one means, or has keys of another."""
        if sum(getattr(self, name) is not None for name in CHANNELS) != 1:
            raise ValueError("needs exactly one of slack, teams, webhook and email")
        if self.secret is not None and self.webhook is None:
            raise ValueError("has a secret, which signs what a webhook is sent; write webhook: URL")
        if self.email is None and (self.smtp is not None or self.sender is not None):
            raise ValueError("has smtp or from, which are for mail; write email: ADDRESS")

    @property
    def kind(self) -> str:
        """Which of CHANNELS it is."""
        return next(name for name in CHANNELS if getattr(self, name) is not None)

    def wants(self, event: str, verdict: str) -> bool:
        """Whether it is told of this event; ``dirty`` and ``test`` are told to everybody, an end by its verdict."""
        if event == "end":
            return "end" in self.on or ("fail" in self.on and verdict != "pass")
        return event in self.on or event in ("dirty", "test")


def check_channels(document: Document, root: Node, raw: Mapping[str, Any]) -> None:
    """Note each secret of ``notify:`` that stands in the file: it would be kept with every run."""
    for index, entry in enumerate(as_list(raw.get("notify"))):
        for name, text in as_mapping(entry).items():
            if isinstance(text, str) and (what := _written_out(name, text)):
                example = f"variables: {{{name}_url: {{env: {name.upper()}_URL, secret: true}}}}"
                hint = f'make it a secret variable: {example}, and {name}: "${{{name}_url}}"'
                message = f"the {what} is written out, and would be kept with every run"
                document.add(locate(root, ("notify", index, name)), "secret", message, hint)


def _written_out(name: str, text: str) -> str:
    """Name the secret that a key's text shows; empty when it shows none."""
    if "${" in text:
        return ""
    try:
        split = urlsplit(text)
    except ValueError:
        return ""
    host = split.hostname or ""
    if name in _SECRET_URLS and host not in _LOOPBACK and not host.startswith("127."):
        return f"URL of {name.capitalize()}"
    if name in ("smtp", "webhook") and split.password:
        return f"password of {name}"
    return ""
