"""A run that has just ended goes into the ledger by itself, where one is configured. It changes no verdict and holds nobody up for long."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gameday.gamedays.ledger.address import configured, find_ledger
from gameday.spi import GamedayError

if TYPE_CHECKING:
    from gameday.gamedays.ledger.lifecycle import Finding

VARIABLE = "GAMEDAY_LEDGER_SECONDS"
SECONDS, MOST = 2.0, 60.0


@dataclass(slots=True)
class _Told:
    line: str = ""
    done: threading.Event = field(default_factory=threading.Event)


def note_run(folder: Path, environ: Mapping[str, str] = os.environ) -> str:
    """Note a judged run, or every run of a finished game day, and return one line for people.

    The line is empty where no ledger is configured, and for a run that tested nothing. Never raises and waits at most two seconds
    ($GAMEDAY_LEDGER_SECONDS: up to 60) for the database. One that answers later is left to a thread that ends with the process: each run
    is in the ledger whole or not at all.
    """
    if not configured(environ):
        return ""
    told = _Told()
    seconds = _seconds(environ)
    thread = threading.Thread(target=_note, args=(folder, environ, seconds, told), name="ledger", daemon=True)
    thread.start()
    if told.done.wait(seconds):
        return told.line
    return f"ledger: no answer within {seconds:g} s; note it later with: gameday findings import {folder}"


def _seconds(environ: Mapping[str, str]) -> float:
    try:
        return min(max(float(environ.get(VARIABLE, "") or SECONDS), 0.1), MOST)
    except ValueError:
        return SECONDS


def _note(folder: Path, environ: Mapping[str, str], seconds: float, told: _Told) -> None:
    try:
        told.line = _noted(folder, environ, seconds)
    except GamedayError as error:
        told.line = f"ledger: not noted: {error}; later: gameday findings import {folder}"
    except Exception as error:  # noqa: BLE001 - a bug here, or a database's driver, must not touch the run
        told.line = f"ledger: not noted: {type(error).__name__}; later: gameday findings import {folder}"
    finally:
        told.done.set()


def _noted(folder: Path, environ: Mapping[str, str], seconds: float) -> str:
    from gameday.gamedays.ledger.book import contents, record  # noqa: PLC0415 - heavy
    from gameday.gamedays.ledger.folders import ledger_folders, read_folder  # noqa: PLC0415 - heavy
    from gameday.gamedays.ledger.lifecycle import findings_of  # noqa: PLC0415 - heavy
    from gameday.gamedays.ledger.store import Store  # noqa: PLC0415 - heavy

    reads = [read for path in ledger_folders([folder]) if (read := read_folder(path)) is not None]
    if not reads:
        return ""
    store = Store.open(find_ledger(environ=environ), patience=seconds)
    for read in reads:
        record(store, read)
    if len(reads) > 1:
        return f"ledger: {len(reads)} runs noted"
    held = findings_of(contents(store, reads[0].facts.title).runs)
    store.close()
    return _news(held, reads[0].facts.run)


def _news(held: Sequence[Finding], run: str) -> str:
    """Say what a run changed among the findings of its experiment."""
    began = sum(one.is_open and one.first.run == run for one in held)
    back = sum(one.state == "reopened" and one.last.run == run for one in held)
    closed = sum(one.closed_by is not None and one.closed_by.run == run for one in held)
    news = [f"{n} {what}" for n, what in ((began, "new"), (back, "reopened"), (closed, "closed")) if n]
    open_ = sum(one.is_open for one in held)
    many = f"{open_} open finding{'' if open_ == 1 else 's'} of this experiment"
    return f"ledger: {many}" + (f" ({', '.join(news)})" if news else "")
