"""``gameday report --site``: many run folders → one static site; only what changed is read, rendered and written again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from gameday.journal.folder import RunFolder, read_run
from gameday.judge import judge
from gameday.model import Run
from gameday.registry import renderers, site_pages
from gameday.runner.sitefolder import SiteError, SiteFolder, alone
from gameday.spi.errors import GamedayError
from gameday.spi.pages import SitePages

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")
_READ = ("plan.json", "verdict.json", "findings.yaml")
"""What a record is made of."""
_BESIDE = (
    "experiment.yaml",
    "plan.json",
    "journal.ndjson",
    "samples.ndjson",
    "verdict.json",
    "junit.xml",
    "previous.json",
)
"""What a report links to: copied beside it, so that its links lead somewhere."""
_MOST_BYTES = 2_000_000
"""A file larger than this is not copied: hours of samples stay in the run folder."""
_FOREIGN = (b"<script", b"<link", b"<iframe", b"javascript:")
"""A report with any of these is not one that stands alone (``--assets linked``), or is not ours: it is rendered again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What became of a site."""

    runs: int
    """Runs that it has now, those of earlier calls included."""
    read: int
    """Runs that were new or had changed."""
    changed: int
    """Files that were written."""
    unreadable: tuple[tuple[str, str], ...]
    """Folders that are no run folders or are damaged, and why."""


def build_site(
    directory: Path,
    folders: Iterable[Path],
    *,
    now: float,
    stale_days: int,
    remarks: Mapping[str, Mapping[str, str]] | None = None,
) -> Built:
    """Add run folders (or folders of run folders) to a site and write its pages; raise SiteError when its folder is not ours.

    ``remarks`` are what today's findings.yaml says, in the place of what it said when each run was made. A run stays in the site until
    its report there is deleted, so that a site can outlive the run folders. Nothing outside the site is written, and nothing in it
    that is not ours is changed or deleted. One call at a time.
    """
    with alone(directory):
        return _build(directory, folders, now=now, stale_days=stale_days, remarks=remarks)


def _build(
    directory: Path,
    folders: Iterable[Path],
    *,
    now: float,
    stale_days: int,
    remarks: Mapping[str, Mapping[str, str]] | None,
) -> Built:
    pages = site_pages()
    site = SiteFolder.open(directory, pages.version)
    _forget_deleted(site)
    unreadable: list[tuple[str, str]] = []
    read = 0
    for folder in run_folders(folders):
        if folder.resolve() == site.path:
            continue
        try:
            read += _add(site, pages, folder)
        except SiteError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a damaged or foreign folder holds, it is listed and never fatal
            unreadable.append((folder.name, _why(error)))
    records = site.records() if remarks is None else [_with_remarks(record, remarks) for record in site.records()]
    for name, data in pages.pages(records, unreadable, now=now, stale_days=stale_days).items():
        site.put(name, data)
    site.close()
    return Built(runs=len(site.runs), read=read, changed=site.changed, unreadable=tuple(unreadable))


def _with_remarks(record: dict[str, Any], remarks: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    known = [str(finding["fingerprint"]) for finding in record["findings"]]
    return {**record, "remarks": {name: dict(remarks[name]) for name in known if name in remarks}}


def run_folders(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield each folder that is a run folder, and of any other the folders in it; each once."""
    seen: set[Path] = set()
    for folder in folders:
        inside = [] if (folder / "plan.json").exists() else sorted(p for p in folder.iterdir() if _candidate(p))
        for path in inside if any((p / "plan.json").exists() for p in inside) else [folder]:
            if path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def _candidate(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _forget_deleted(site: SiteFolder) -> None:
    """Drop the runs whose reports somebody has deleted from the site."""
    for name, entry in list(site.runs.items()):
        report = entry["record"].get("report")
        if report and not site.holds(report):
            gone = report.removesuffix("report.html")
            for file in [file for file in site.files if file.startswith(gone) and not site.holds(file)]:
                del site.files[file]
            del site.runs[name]


def _add(site: SiteFolder, pages: SitePages, folder: Path) -> bool:
    """Bring one run's record and report up to date; return whether anything had changed."""
    digest, report = _digest(folder), _stat(folder / "report.html")
    known = site.runs.get(folder.name)
    if known is not None and known["digest"] == digest and known["report"] == report:
        return False
    name = (
        folder.name if _SAFE.fullmatch(folder.name) else sha256(folder.name.encode("utf-8", "replace")).hexdigest()[:16]
    )
    target = f"runs/{name}/report.html"
    run: Run | None = None
    if not (folder / "verdict.json").exists() or not report:
        run = _judged(folder)
    record = _record(pages, folder, run)
    site.put(target, _report(folder, run))
    for beside in _BESIDE:
        path = folder / beside
        if path.is_file() and path.stat().st_size <= _MOST_BYTES:
            site.put(f"runs/{name}/{beside}", path.read_bytes())
    site.runs[folder.name] = {"digest": digest, "report": report, "record": {**record, "report": target}}
    return True


def _record(pages: SitePages, folder: Path, run: Run | None) -> dict[str, Any]:
    from gameday.schema.remarks import read_remarks_file  # noqa: PLC0415 - heavy, and only for runs that are new

    paths = RunFolder(folder)
    plan = paths.read_plan()
    verdict = run.verdict if run is not None else paths.read_verdict()
    if verdict is None or verdict.get("schema") != "gameday/verdict/1":
        raise GamedayError("its verdict.json cannot be read", hint="gameday judge RUN writes it again")
    return dict(pages.record(plan, verdict, read_remarks_file(paths.remarks).entries))


def _judged(folder: Path) -> Run:
    """Read a run whole; one without a verdict is judged in memory: the run folder is not ours to write to."""
    run = read_run(folder)
    return run if run.verdict is not None else replace(run, verdict=judge(run))


def _report(folder: Path, run: Run | None) -> bytes:
    """Return the run's HTML report: as it lies in its folder, or rendered."""
    path = folder / "report.html"
    data = path.read_bytes() if path.is_file() or run is None else b""
    if data and not any(mark in data.lower() for mark in _FOREIGN):
        return data
    (renderer,) = renderers(("html",))
    return renderer.render(run or _judged(folder))


def _digest(folder: Path) -> str:
    """Return the SHA-256 of all that a record is made of; of a run without a verdict, of what it would be judged by."""
    names = list(_READ)
    if not (folder / "verdict.json").exists():
        names += ["journal.ndjson", "samples.ndjson"]
    digest = sha256()
    for name in names:
        path = folder / name
        data = path.read_bytes() if path.is_file() else b""
        digest.update(f"{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def _stat(path: Path) -> str:
    """Return what tells a changed report from the same one without reading it; empty without one."""
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_size}:{found.st_mtime_ns}"


def _why(error: Exception) -> str:
    """Say in one line why a folder could not be read."""
    if isinstance(error, GamedayError):
        return str(error).partition("\n")[0]
    if isinstance(error, OSError):
        return f"{Path(str(error.filename or '')).name}: {error.strerror or error}"
    return f"it is damaged: {type(error).__name__}: {error}".partition("\n")[0]
