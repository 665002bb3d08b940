"""Compiled templates: kept beside Python's own compiled modules, believed only when they are whole, and never needed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from jinja2 import Environment

from gameday_reports.templating import environment


def fresh() -> Environment:
    return environment.__wrapped__()


def compiled(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.jinja"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "kept"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path / "kept"


def test_a_template_is_compiled_once(folder: Path) -> None:
    fresh().get_template("report.html.j2")
    (kept,) = compiled(folder)
    before = kept.stat()
    fresh().get_template("report.html.j2")
    after = kept.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("damage", [b"", b"j2", b"no bytecode at all", b"whole"])
def test_what_is_damaged_is_compiled_again(folder: Path, damage: bytes) -> None:
    fresh().get_template("report.html.j2")
    (kept,) = compiled(folder)
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2] if damage == b"whole" else damage)
    assert fresh().get_template("report.html.j2").name == "report.html.j2"
    assert kept.read_bytes()[:8] == whole[:8]
    assert len(kept.read_bytes()) == len(whole)


def test_nothing_is_kept_where_python_keeps_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert fresh().get_template("report.html.j2").name == "report.html.j2"
    assert compiled(folder) == []


def test_where_nothing_can_be_kept_a_report_is_written_all_the_same(folder: Path) -> None:
    folder.write_text("a file, and no folder")
    assert fresh().get_template("report.html.j2").name == "report.html.j2"
