"""One source of measurements under ``sources:``: where it answers, and how to show it who asks."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

from gameday.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source with its secrets put in: it lives in memory only, and its repr shows none of them."""

    name: str
    kind: str
    """``prometheus``, ``alertmanager``, …"""
    url: str
    """Without a slash at its end; a path before the API's own is kept."""
    token: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""
    """Path of a PEM file to check its certificate with; empty means the system's authorities."""

    def headers(self) -> dict[str, str]:
        """Return the ``Authorization`` header, where there is one: bearer (RFC 6750) or basic (RFC 7617)."""
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        if self.user:
            return {"Authorization": "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode()}
        return {}

    def to_json(self, *, with_secrets: bool) -> dict[str, Any]:
        """Write for another process; token and password only ``with_secrets``."""
        return {
            "name": self.name,
            "kind": self.kind,
            "url": self.url,
            "token": self.token if with_secrets else "",
            "user": self.user,
            "password": self.password if with_secrets else "",
            "ca": self.ca,
        }

    @classmethod
    def from_json(cls, raw: Json) -> Source:
        """Read what to_json wrote; raise ``KeyError`` when a part is missing."""
        keys = ("name", "kind", "url", "token", "user", "password", "ca")
        return cls(**{key: str(raw[key]) for key in keys})
