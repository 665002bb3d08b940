"""A site on the disk: incremental, atomic, never outside its folder, never over what is not ours; whatever folders it is given."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gameday.cli.report import report
from gameday.runner.site import Built, build_site
from gameday.runner.sitefolder import INDEX, SiteError, alone
from tests.fakes.folders import write_run
from tests.fakes.many_runs import DAY, NOW, write_many
from tests.fakes.stories import Story


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    write_many(tmp_path / "runs", runs=12, experiments=4, report_bytes=1_000)
    return tmp_path / "runs"


def build(site: Path, *folders: Path, now: float = NOW) -> Built:
    return build_site(site, folders, now=now, stale_days=30)


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_first_time_everything_then_only_what_changed(runs: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    first = build(site, runs)
    assert (first.runs, first.read, first.changed, first.unreadable) == (12, 12, 3 + 12 * 6, ())
    before = snapshot(site)
    again = build(site, runs)
    assert (again.runs, again.read, again.changed) == (12, 0, 0)
    assert snapshot(site) == before
    changed = min(runs.iterdir())
    document = json.loads((changed / "verdict.json").read_text()) | {"summary": "Something else."}
    (changed / "verdict.json").write_text(json.dumps(document))
    third = build(site, runs)
    assert third.read == 1
    assert third.changed <= 3  # verdict.json, runs.html, and oncall.html if it is among the latest; no report
    assert "Something else." in (site / "runs.html").read_text()


def test_a_new_remark_or_report_is_seen(runs: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    build(site, runs)
    one = min(runs.iterdir())
    (one / "report.html").write_text("another report. Made by gameday from run")
    assert (build(site, runs).read, (site / "runs" / one.name / "report.html").read_text()[:7]) == (1, "another")
    (one / "findings.yaml").write_text("3fa9c1d27e5b0a44: {owner: team-a}")
    assert build(site, runs).read == 1


def test_the_next_day_only_the_pages_are_new(runs: Path, tmp_path: Path) -> None:
    build(tmp_path / "site", runs)
    later = build(tmp_path / "site", runs, now=NOW + 40 * DAY)
    assert (later.read, later.changed) == (0, 3)
    assert "stale" in (tmp_path / "site" / "index.html").read_text()


def test_what_a_report_links_to_lies_beside_it_unless_it_is_huge(runs: Path, tmp_path: Path) -> None:
    one, two, *_ = sorted(runs.iterdir())
    (two / "samples.ndjson").write_bytes(b"x" * 2_000_001)
    build(tmp_path / "site", runs)
    copied = {path.name for path in (tmp_path / "site" / "runs" / one.name).iterdir()}
    assert copied == {"report.html", "journal.ndjson", "samples.ndjson", "junit.xml", "plan.json", "verdict.json"}
    assert (tmp_path / "site" / "runs" / one.name / "verdict.json").read_bytes() == (one / "verdict.json").read_bytes()
    assert not (tmp_path / "site" / "runs" / two.name / "samples.ndjson").exists()


def test_runs_stay_when_their_folders_are_gone_until_their_report_is_deleted(runs: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    build(site, runs)
    kept, *others = sorted(runs.iterdir())
    for other in others:
        shutil.rmtree(other)
    assert build(site, runs).runs == 12
    shutil.rmtree(site / "runs" / others[0].name)
    assert build(site, runs).runs == 11
    assert others[0].name not in (site / "runs.html").read_text()
    assert kept.name in (site / "runs.html").read_text()


def test_nothing_outside_the_site_is_written(runs: Path, tmp_path: Path) -> None:
    (min(runs.iterdir()) / "report.html").unlink()
    before = snapshot(runs)
    build(tmp_path / "site", runs)
    assert snapshot(runs) == before
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "site"}


def test_a_report_that_is_missing_is_made(tmp_path: Path) -> None:
    path = write_run(tmp_path / "runs" / "r1", replace(Story().run(), name="r1"))
    (path / "verdict.json").unlink()
    assert build(tmp_path / "site", path).unreadable == ()
    made = (tmp_path / "site" / "runs" / "r1" / "report.html").read_text()
    assert made.startswith("<!doctype html>") or "<!doctype html>" in made
    assert not (path / "verdict.json").exists()
    assert build(tmp_path / "site", path).changed == 0


@pytest.mark.parametrize("foreign", ["<script>alert(1)</script>", '<link rel="stylesheet" href="report.css">'])
def test_a_report_that_does_not_stand_alone_is_rendered_again(tmp_path: Path, foreign: str) -> None:
    path = write_run(tmp_path / "runs" / "r1", replace(Story().run(), name="r1"))
    (path / "report.html").write_text(f"<!doctype html><title>x</title>{foreign}")
    assert build(tmp_path / "site", path).unreadable == ()
    assert foreign not in (tmp_path / "site" / "runs" / "r1" / "report.html").read_text()
    assert foreign in (path / "report.html").read_text()


def test_todays_findings_file_stands_in_for_what_the_runs_had(tmp_path: Path) -> None:
    runs = tmp_path / "more"
    write_many(runs, runs=44, report_bytes=1_000)
    build(tmp_path / "site", runs)
    known = re.findall(r"<code>([0-9a-f]{16})</code>", (tmp_path / "site" / "oncall.html").read_text())
    file = tmp_path / "findings.yaml"
    file.write_text(f"{known[0]}: {{owner: team-of-today, due: 2026-01-01}}\n")
    done = call("--site", str(tmp_path / "site"), "--findings", str(file), str(runs))
    assert done.exit_code == 0, done.output
    assert "team-of-today" in (tmp_path / "site" / "oncall.html").read_text()
    file.write_text("abc: {owner: x}\n")
    assert (
        "is not the fingerprint of a finding"
        in call("--site", str(tmp_path / "site"), "--findings", str(file), str(runs)).stderr
    )
    assert "team-of-today" not in (tmp_path / "site" / "oncall.html").read_text()
    assert call("--findings", str(file), str(min(runs.iterdir()))).exit_code == 2


@pytest.mark.parametrize("damage", ["plan", "verdict", "empty", "foreign", "list", "deep", "report-is-folder"])
def test_damaged_and_foreign_folders_are_listed_and_never_fatal(runs: Path, tmp_path: Path, damage: str) -> None:
    odd = runs / "odd"
    shutil.copytree(min(runs.iterdir()), odd)
    if damage == "plan":
        (odd / "plan.json").write_bytes(b'{"schema": \xff')
    elif damage == "verdict":
        (odd / "verdict.json").write_text("{}")
    elif damage == "empty":
        for path in odd.iterdir():
            path.unlink()
    elif damage == "foreign":
        (odd / "plan.json").write_text('{"schema": "terraform"}')
    elif damage == "list":
        (odd / "plan.json").write_text("[]")
    elif damage == "deep":
        (odd / "verdict.json").write_text("[" * 100_000)
    else:
        (odd / "report.html").unlink()
        (odd / "report.html").mkdir()
    built = build(tmp_path / "site", runs)
    assert built.runs == 12
    assert [name for name, _ in built.unreadable] == ["odd"]
    assert "odd" in (tmp_path / "site" / "index.html").read_text()


def test_files_that_are_not_ours_are_neither_changed_nor_deleted(runs: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "runs").mkdir(parents=True)
    for name in ("notes.txt", "runs/mine.html", "CNAME"):
        (site / name).write_text("mine")
    build(site, runs)
    build(site, runs, now=NOW + DAY)
    assert all((site / name).read_text() == "mine" for name in ("notes.txt", "runs/mine.html", "CNAME"))


@pytest.mark.parametrize("name", ["index.html", "oncall.html", "runs.html"])
def test_a_page_that_is_not_ours_is_refused(runs: Path, tmp_path: Path, name: str) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / name).write_text("<h1>my home page</h1>")
    with pytest.raises(SiteError, match="was not written by a gameday site"):
        build(site, runs)
    assert (site / name).read_text() == "<h1>my home page</h1>"


def test_a_link_out_of_the_site_is_not_followed(runs: Path, tmp_path: Path) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    site.mkdir()
    elsewhere.mkdir()
    (site / "runs").symlink_to(elsewhere)
    with pytest.raises(SiteError, match="leads out of the site"):
        build(site, runs)
    assert [path for path in elsewhere.rglob("*") if path.is_file()] == []


def test_one_call_at_a_time(runs: Path, tmp_path: Path) -> None:
    with (
        alone(tmp_path / "site"),
        pytest.raises(SiteError, match="another call is writing"),
        alone(tmp_path / "site", 0.1),
    ):
        pytest.fail("two at once")
    assert build(tmp_path / "site", runs).runs == 12


def test_a_site_among_the_runs_is_no_run(runs: Path) -> None:
    build(runs / "site", runs)
    assert build(runs / "site", runs).unreadable == ()


def test_a_site_that_cannot_be_written_is_told(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SiteError, match="cannot make the site"):
        build(tmp_path / "file", runs)

    def full(path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("gameday.runner.sitefolder.replace_file", full)
    with pytest.raises(SiteError, match=r"cannot write .*: No space left on device"):
        build(tmp_path / "site", runs)


def test_a_call_that_was_killed_is_gone_on_with(runs: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    build(site, runs)
    (site / INDEX).unlink()
    assert build(site, runs, now=NOW + DAY).runs == 12
    assert not [path for path in site.rglob(".*") if path.is_file()]


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": "gameday/site/9"}', '{"schema": "gameday/site/1"}'])
def test_an_index_that_cannot_be_read_is_refused(runs: Path, tmp_path: Path, text: str) -> None:
    site = tmp_path / "site"
    build(site, runs)
    (site / INDEX).write_text(text)
    with pytest.raises(SiteError):
        build(site, runs)


def test_records_of_another_form_are_read_again(runs: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    build(site, runs)
    index = json.loads((site / INDEX).read_text())
    (site / INDEX).write_text(json.dumps(index | {"version": "0"}))
    assert build(site, runs).read == 12


def test_names_that_no_path_should_have(runs: Path, tmp_path: Path) -> None:
    name = "a b\n<script>%2e&\u202e"
    min(runs.iterdir()).rename(runs / name)
    built = build(tmp_path / "site", runs)
    assert (built.runs, built.unreadable) == (12, ())
    page = (tmp_path / "site" / "runs.html").read_text()
    assert "<script>" not in page
    for path in (tmp_path / "site" / "runs").iterdir():
        assert path.name.isascii()


def call(*words: str) -> Result:
    return CliRunner().invoke(report, words)


def test_the_command(runs: Path, tmp_path: Path) -> None:
    (runs / "notes").mkdir()
    done = call("--site", str(tmp_path / "site"), str(runs))
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(tmp_path / "site" / "index.html")
    assert "12 runs, 12 of them new or changed; 75 files written" in done.stderr
    assert "notes: not in the site: " in done.stderr
    assert call("--site", str(tmp_path / "site"), str(runs), "--format", "junit").exit_code == 2
    one = min(runs.iterdir())
    assert "1 run, 1 of them new" in call("--site", str(tmp_path / "other"), str(one)).stderr
