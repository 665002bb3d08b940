"""Channels of a file → notifiers, each with the words that people know it by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gameday.registry import load_notifier
from gameday.schema.notify import Channel
from gameday.spi import Notifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One channel, ready to be used."""

    label: str
    """``slack``; with its place in the file, from 1, where there are several of a kind: ``slack 2``. It holds no secret."""
    channel: Channel
    notifier: Notifier


def routes(channels: Sequence[Channel], base: Path) -> tuple[Route, ...]:
    """Return the channels of a file in its order; paths count from ``base``. Raises PluginError when a kind is not installed."""
    kinds = [channel.kind for channel in channels]
    return tuple(
        Route(
            label=kind if kinds.count(kind) == 1 else f"{kind} {kinds[: index + 1].count(kind)}",
            channel=channel,
            notifier=load_notifier(kind, _parameters(channel, base)),
        )
        for index, (kind, channel) in enumerate(zip(kinds, channels, strict=True))
    )


def _parameters(channel: Channel, base: Path) -> dict[str, Any]:
    ca = {"ca": str(base / channel.ca)} if channel.ca else {}
    if channel.email is not None:
        given = {"smtp": channel.smtp, "sender": channel.sender}
        return {"to": channel.email, **{name: value for name, value in given.items() if value}, **ca}
    signed = {"secret": channel.secret} if channel.secret else {}
    return {"url": getattr(channel, channel.kind), **signed, **ca}
