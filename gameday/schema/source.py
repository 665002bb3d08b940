"""The section ``sources:``, where measurements come from that are not read at the system itself."""

from __future__ import annotations

from gameday.schema.fields import Argument, Line, Url
from gameday.schema.section import Section, key

KINDS = ("prometheus", "alertmanager", "elasticsearch", "loki")
"""Kinds of sources; that of an installed probe is one, too."""
NEEDED = ("prometheus", "alertmanager")
"""Kinds of probes that ask a source, and have no URL of their own."""
ASKS = {"prometheus_alerts": "prometheus"}
"""Kinds of probes that ask a source of another kind → its kind."""
OWN_URL = ("elasticsearch", "loki")
"""Kinds of probes that have one, though there are sources of their kind."""


class SourceSpec(Section):
    """One source of measurements; its kind is its name unless the file says otherwise."""

    kind: Line | None = key(default=None, description="default: its name", examples=list(KINDS))
    url: Url = key(description="where it answers", examples=["http://127.0.0.1:9090"])
    token: str | None = key(default=None, description="a bearer token; a secret variable")
    user: Line | None = key(default=None, description="of basic authentication")
    password: str | None = key(default=None, description="of basic authentication; a secret variable")
    ca: Argument | None = key(default=None, description="PEM file to check its certificate with")

    def agree(self) -> None:
        """Raise ValueError when keys contradict each other."""
        if (self.user is None) != (self.password is None):
            raise ValueError("needs user and password together")
        if self.token is not None and self.user is not None:
            raise ValueError("needs a token, or user and password, not both")
        if self.ca is not None and not self.url.lower().startswith(("https:", "${")):
            raise ValueError("has a ca, and a URL without TLS; write url: https://…")
        if "@" in self.url.partition("://")[2].partition("/")[0]:
            raise ValueError("has a user in its URL; write user: and password: instead")
