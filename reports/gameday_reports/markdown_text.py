"""Markdown that says what it is given and does nothing else, on GitHub, on GitLab and in any CommonMark reader.

Two things could act. Markdown and HTML themselves are escaped. What GitHub and GitLab look for in the finished text (mentions, references
to issues, labels and milestones, emoji, bare addresses) cannot be escaped, because they look after the escapes are gone: it is
broken by a zero-width space. Text that must stay exact, to be copied, is a code block, in which none of them looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from gameday_reports.reading import visible

_BREAK = "\u200b"
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}
_SPECIAL = re.compile(r"[\\`*_\[\]{}~$#&<>|]")
_LOOKED_FOR = re.compile(
    r"(?<=[@#!~$%&^])(?=[\w/\"'])"  # @who #1 !1 ~label $1 %milestone &1
    r"|(?<=:)(?=[A-Za-z_/+-])|(?<![0-9]:)(?<=:)(?=\d+:)"  # :emoji: :100: http://
    r"|(?<=\[)(?=[\[+-])|(?<=\{)(?=[+-])"  # [[page]] and inline diffs
    r"|(?<=\bwww)(?=\.)|(?<=\bgh-)(?=\d)",
    re.IGNORECASE,
)
_PLAIN_CODE = re.compile(r"[^`|]*[^`|\s][^`|]*")


def line(text: str) -> str:
    """Make one line of it, without what could act on a screen."""
    return visible(" ".join(text.split()))


def escape(text: str) -> str:
    """Write any text for the middle of a line or a cell of a table; never at the begin of a line."""
    broken = _LOOKED_FOR.sub(_BREAK, line(text))
    return _SPECIAL.sub(lambda match: _ENTITIES.get(match[0], f"\\{match[0]}"), broken)


def strong(text: str) -> str:
    """Write any text in bold; nothing at all when it is empty, for four asterisks are a rule across the page."""
    found = escape(text)
    return f"**{found}**" if found else ""


def code(text: str) -> str:
    """Write a name or an expression in code font; nothing at all when it is empty."""
    found = line(text)
    if not found:
        return ""
    return f"`{found}`" if _PLAIN_CODE.fullmatch(found) else f"<code>{escape(found)}</code>"


def block(lines: Iterable[str]) -> list[str]:
    """Write lines to be copied, fenced by more backticks than any of them has in a row."""
    found = [line(one) for one in lines]
    longest = max((len(run) for one in found for run in re.findall("`+", one)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *found, fence, ""]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Write a table of cells that are Markdown already."""
    marks = ["---"] * len(head)
    return [*(f"| {' | '.join(cells)} |" for cells in (head, marks, *rows)), ""]


def folded(summary: str, lines: Iterable[str]) -> list[str]:
    """Write lines that are shown when somebody opens them; ``summary`` is ours."""
    return ["<details>", f"<summary>{summary}</summary>", "", *lines, "</details>", ""]


def joined(*said: str, by: str = " · ") -> str:
    """Join what is not empty."""
    return by.join(item for item in said if item)
