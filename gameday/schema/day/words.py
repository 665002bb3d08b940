"""What several sections of a game-day file share: texts of more than one line, roles, and files that it names."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from gameday.schema.fields import Line
from gameday.schema.marks import Check

LONGEST_TEXT = 10_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")


def _text(text: str) -> str:
    stripped = text.strip()
    if not stripped or _CONTROL.search(stripped) or len(stripped) > LONGEST_TEXT:
        raise ValueError(f"must be text of at most {LONGEST_TEXT:,} characters, without control characters")
    return stripped


def _file(path: str) -> str:
    if path.startswith(("http://", "https://")):
        raise ValueError("must be a file beside this one; write its path, relative to this file's folder")
    return path


Text = Annotated[str, Check(_text)]
"""One or more lines for people."""
FileName = Annotated[Line, Check(_file)]
"""A file, relative to the folder of the game-day file."""
Role = Literal["owner", "coordinator", "reporter", "responder"]
"""Who is asked to do or decide something."""
ROLES = ("owner", "coordinator", "reporter", "responder", "observer")
"""Everybody who takes part, as ``--role`` calls them."""
DECIDING = ("owner", "coordinator")
"""Who may stop a day, and decide, where the file names somebody for it."""
BLINDED = ("responder", "observer")
"""Who is not told which experiment is on while it is blind, until the debrief."""
