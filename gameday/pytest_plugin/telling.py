"""What a failed experiment says in pytest's own report: the verdict, why, and where to read on."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from gameday.cli.terminal import printable
from gameday.model import Json
from gameday.pytest_plugin.running import Finished

if TYPE_CHECKING:
    from gameday.schema.loader import Loaded


def failure_text(finished: Finished, loaded: Loaded) -> str:
    """Return the lines of a failure, what may still be on first."""
    document = finished.document
    if document is None:
        return f"gameday run ended with {finished.code} and without a verdict; what it said is below"
    lines = [
        *(
            f"DIRTY: {left['fault']} may still be on; finish the job with: {left['command']}"
            for left in document["residue"]
        ),
        f"{document['title']}: {document['verdict']} ({', '.join(document['reasons'])})",
        f"  {document['summary']}",
        *_stopped(document),
        *(_objective(one, loaded) for one in document["objectives"]),
        *_where(finished, loaded),
    ]
    return "\n".join(printable(line) for line in lines)


def _stopped(document: Json) -> list[str]:
    found = document.get("abort") or document.get("stopped")
    return [f"  {found['reason']}: {found['detail']}"] if found else []


def _objective(raw: Json, loaded: Loaded) -> str:
    line = f"  ({loaded.path}:{raw['line']})" if raw.get("line") else ""
    return f"  {raw['verdict']:<13}{raw['name']}: {raw['reason']}{line}"


def _where(finished: Finished, loaded: Loaded) -> list[str]:
    folder = finished.folder
    if folder is None:
        return []
    report = folder / "report.html"
    variant = [word for name, value in loaded.variant.items() for word in ("--var", f"{name}={value}")]
    seed = (
        ["--seed", str(finished.document["seed"])]
        if finished.document and finished.document.get("seed") is not None
        else []
    )
    again = shlex.join(["gameday", "run", str(loaded.path), *variant, *seed])
    return [f"report: {report}" if report.exists() else f"run folder: {folder}", f"again: {again}"]
