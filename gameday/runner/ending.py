"""After the last record: judge the folder and write the reports, the same bytes however often it is done."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gameday.journal.folder import RunFolder, read_run
from gameday.judge.dump import to_bytes
from gameday.judge.verdict import judge
from gameday.model import EXIT_INTERNAL, Json, Run, Verdict
from gameday.registry import renderers
from gameday.spi import Linked, Renderer


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A run's verdict, and the reports that were written."""

    folder: RunFolder
    document: Json
    reports: tuple[Path, ...] = ()
    failed: tuple[str, ...] = ()
    """What could not be written, and why: a full disk or a bug of ours, which are told apart, and neither of which hides the verdict."""

    @property
    def exit_code(self) -> int:
        """The verdict's; a pass whose report is missing is not one."""
        return EXIT_INTERNAL if self.failed and self.verdict is Verdict.PASS else self.verdict.exit_code

    @property
    def verdict(self) -> Verdict:
        """What the run proved."""
        return Verdict.from_word(self.document["verdict"])


def judge_folder(path: Path) -> Judged:
    """Judge a run folder and write its verdict.json; raise GamedayError when it is not one."""
    run = read_run(path)
    folder = RunFolder(path.resolve())
    document = judge(run)
    try:
        replace_file(folder.verdict, to_bytes(document))
    except OSError as error:  # a full disk: the verdict is still told
        return Judged(folder=folder, document=document, failed=(f"{folder.verdict.name}: {error}",))
    return Judged(folder=folder, document=document)


def report_folder(path: Path, formats: Sequence[str] = (), *, linked: bool = False) -> Judged:
    """Judge a run folder and write its reports (all formats, or those named); raise GamedayError for an unknown format.

    With ``linked``, style sheets are files beside the documents that would hold them.
    """
    chosen = renderers(formats)  # an unknown one is refused before anything is written
    judged = judge_folder(path)
    run = read_run(path)
    written: list[Path] = []
    failed = list(judged.failed)
    for renderer in chosen:
        try:
            for name, data in _files(renderer, run, linked=linked).items():
                replace_file(judged.folder.path / name, data)
        except OSError as error:
            failed.append(f"{renderer.filename}: {error}")
        except Exception as error:  # noqa: BLE001 - a stranger's renderer may raise anything; the verdict stands
            failed.append(f"{renderer.filename}: a bug of ours, {type(error).__name__}: {error}")
        else:
            written.append(judged.folder.path / renderer.filename)
    return Judged(folder=judged.folder, document=judged.document, reports=tuple(written), failed=tuple(failed))


def _files(renderer: Renderer, run: Run, *, linked: bool) -> Mapping[str, bytes]:
    if linked and isinstance(renderer, Linked):
        return renderer.render_linked(run)
    return {renderer.filename: renderer.render(run)}


def replace_file(path: Path, data: bytes) -> None:
    """Write a whole file or none: a reader never sees half of one."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
