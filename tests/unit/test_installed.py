"""Entry points: what the standard library finds, found without it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from gameday.installed import entry_points, version

GROUPS = ("gameday.drivers", "gameday.probes", "gameday.reports", "console_scripts", "pytest11", "nothing")
TEXT = "# a comment\n[console_scripts]\nx = a:b\n\n[gameday.drivers]\n# another\none = pkg.one:One\ntwo=pkg.two:Two.inner [extra]\n"


def install(folder: Path, name: str, text: str = TEXT) -> None:
    info = folder / name
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text(text, encoding="utf-8")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.partition('-')[0]}\nVersion: 1\n")


@pytest.mark.parametrize("group", GROUPS)
def test_it_finds_what_the_standard_library_finds(group: str) -> None:
    theirs = {(point.name, point.value) for point in metadata.entry_points(group=group)}
    assert {(point.name, point.value) for point in entry_points(group)} == theirs
    assert bool(theirs) is (group != "nothing")


@pytest.mark.parametrize("name", ["some_thing-1.0.dist-info", "some_thing.egg-info", "some_thing-1.0-py3.11.egg-info"])
def test_every_form_of_metadata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    install(tmp_path, name)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert [tuple(point) for point in entry_points("gameday.drivers")] == [
        ("one", "pkg.one:One", "some-thing"),
        ("two", "pkg.two:Two.inner [extra]", "some-thing"),
    ]


def test_versions_are_those_of_the_standard_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("gameday-runner", "locust", "chaostoolkit-lib", "ruamel.yaml", "Jinja2"):
        assert version(name) == metadata.version(name), name
    assert not version("nobody-has-this")
    install(tmp_path, "some_thing-1.2.dist-info")
    install(tmp_path, "unversioned.egg-info")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert version("Some.Thing") == "1.2"


def test_the_first_distribution_of_a_name_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "a", "Some.Thing-2.0.dist-info", "[g]\nnew = m:n\n")
    install(tmp_path / "b", "some_thing-1.0.dist-info", "[g]\nold = m:n\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "a"), str(tmp_path / "nowhere"), str(tmp_path / "b")])
    assert [point.name for point in entry_points("g")] == ["new"]
    assert [point.name for point in metadata.entry_points(group="g")] == ["new"]


def test_an_archive_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "inner", "zipped-1.0.dist-info")
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in filter(Path.is_file, (tmp_path / "inner").rglob("*")):
            file.write(path, path.relative_to(tmp_path / "inner"))
    monkeypatch.setattr(sys, "path", [str(archive)])
    assert [point.name for point in entry_points("gameday.drivers")] == ["one", "two"]


def test_what_cannot_be_read_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a-1.dist-info").mkdir()
    (tmp_path / "b-1.dist-info").write_text("no folder")
    (tmp_path / "c-1.dist-info").mkdir()
    (tmp_path / "c-1.dist-info/entry_points.txt").write_bytes(b"[g]\n\xff = m:n\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert entry_points("g") == []


def test_a_loaded_one_is_what_it_names() -> None:
    (point,) = [point for point in entry_points("console_scripts") if point.name == "gameday"]
    assert point.distribution == "gameday-runner"
    assert point.load().__name__ == "main"


def test_validate_never_brings_the_heavy_library_along() -> None:
    heavy = "importlib.metadata email pydantic zipfile locust jinja2 rich kubernetes chaoslib"
    code = (
        "import sys; sys.argv = ['gameday', 'validate', 'experiments/your-own-url.yaml']\n"
        "from gameday.cli import cli\n"
        "cli(standalone_mode=False)\n"
        f"print([name for name in '{heavy}'.split() if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert found.stdout.splitlines()[-1] == "[]"
