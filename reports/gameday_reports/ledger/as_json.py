"""The findings of a ledger for programs: the document as it is."""

from __future__ import annotations

import json
from dataclasses import dataclass

from gameday.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonFindings:
    """``gameday/findings/1``, indented."""

    name: str = "json"

    def render(self, document: Json) -> bytes:
        """Render as UTF-8."""
        return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
