"""A cell of a table for spreadsheets. One that begins with ``= + - @`` is taken for a formula: text that does gets an apostrophe before it.

See https://owasp.org/www-community/attacks/CSV_Injection. Numbers are numbers.
"""

from __future__ import annotations

import re

from gameday.spi.reading import bounded

_FORMULA = re.compile(r"\s*[=+\-@|%\uff0b\uff0d\uff1d\uff20]")
Cell = str | int | float | None


def cell(value: Cell) -> Cell:
    """Write one line of text that no spreadsheet takes for a formula; a number as it is."""
    if not isinstance(value, str):
        return "" if value is None else value
    said = " ".join(bounded(value).split())
    return f"'{said}" if _FORMULA.match(said) else said
