"""Many run folders and findings files into the ledger: each run is a transaction of its own, so that what was taken stays taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gameday.gamedays.ledger.address import LedgerError
from gameday.gamedays.ledger.book import add, record
from gameday.gamedays.ledger.folders import ledger_folders, read_file, read_folder
from gameday.gamedays.ledger.store import Store
from gameday.spi import GamedayError


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of it."""

    runs: int = 0
    """Runs that are in the ledger now."""
    noted: int = 0
    """Runs of them that were not, or that had been judged anew since."""
    checks: int = 0
    """Folders of ``gameday check``, which test nothing and are left out."""
    statements: int = 0
    """What findings files said that was not known."""
    refused: tuple[tuple[str, str], ...] = ()
    """What could not be read, and why."""


def import_paths(store: Store, paths: Iterable[Path]) -> Imported:
    """Note run folders, folders of them, and findings files; raise LedgerError when the ledger itself fails."""
    given = list(paths)
    refused: list[tuple[str, str]] = []
    runs = noted = checks = said = 0
    for folder in ledger_folders(path for path in given if path.is_dir()):
        try:
            read = read_folder(folder)
        except GamedayError as error:
            refused.append((str(folder), f"{error}; {error.hint}" if error.hint else str(error)))
            continue
        except Exception as error:  # noqa: BLE001 - whatever a damaged or foreign folder holds, it is listed and never fatal
            refused.append((str(folder), f"it is damaged: {type(error).__name__}"))
            continue
        if read is None:
            checks += 1
            continue
        runs, noted = runs + 1, noted + record(store, read)
    for file in (path for path in given if not path.is_dir()):
        try:
            said += add(store, read_file(file))
        except LedgerError:
            raise
        except GamedayError as error:
            refused.append((str(file), f"{error}; {error.hint}"))
    return Imported(runs=runs, noted=noted, checks=checks, statements=said, refused=tuple(refused))
