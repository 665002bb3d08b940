"""What a CI system is told: appended, bounded, on stderr, and never at the price of the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gameday.cli import cli
from gameday.cli.ci import LINKS, SUMMARY_BYTES, tell_ci
from gameday.cli.terminal import printable
from tests.fakes.folders import write_run
from tests.fakes.stories import Story, between, rows


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """The folder of a run whose fault broke its objective."""
    story = Story(rows=rows(between(30_000, 50_000, 4)))
    return write_run(tmp_path / "runs" / "broken", story.run(), source="mine.yaml")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return write_run(tmp_path / "runs" / "kept", Story().run())


def call(*words: str, **environ: str) -> Result:
    clean = {"GITHUB_STEP_SUMMARY": "", "GITHUB_ACTIONS": "", "GITLAB_CI": ""}
    return CliRunner(env=clean | environ).invoke(cli, list(words))


def test_outside_of_ci_nothing_is_told(broken: Path) -> None:
    done = call("judge", str(broken))
    assert done.exit_code == 1
    assert "::error" not in done.output
    assert not (broken.parent / LINKS).exists()


def test_judge_adds_to_the_summary_and_marks_the_line(broken: Path, tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    summary.write_text("before\n")
    done = call("judge", str(broken), GITHUB_STEP_SUMMARY=str(summary), GITHUB_ACTIONS="true")
    assert done.exit_code == 1
    assert done.stderr.startswith("::error file=mine.yaml,line=31,title=Broken%3A available::Checkout survives")
    assert "::" not in done.stdout
    text = summary.read_text()
    assert text.startswith("before\n### ✕ Failed · Checkout survives a payments outage\n")
    assert "\n# " not in text, "headings begin at the third level"


def test_report_tells_only_when_it_is_asked_to(broken: Path, kept: Path, tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    environ = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_ACTIONS": "true"}
    done = call("report", str(broken), **environ)
    assert (done.exit_code, done.stderr, summary.exists()) == (0, "", False)
    done = call("report", str(kept), str(broken), "--format", "github", **environ)
    assert done.exit_code == 0
    assert done.stderr.count("::error ") == 1
    text = summary.read_text()
    assert text.index("### gameday") < text.index("### ✕ Failed") < text.index("### ✓ Passed")
    assert (broken / "summary.md").exists()


def test_a_summary_that_is_full_or_gone_is_said_and_changes_nothing(broken: Path, tmp_path: Path) -> None:
    full = tmp_path / "summary"
    full.write_bytes(b"x" * (SUMMARY_BYTES - 100))
    done = call("judge", str(broken), GITHUB_STEP_SUMMARY=str(full))
    assert done.exit_code == 1
    assert "cannot write the summary of the step: " in done.stderr
    assert full.stat().st_size == SUMMARY_BYTES - 100
    done = call("judge", str(broken), GITHUB_STEP_SUMMARY=str(tmp_path / "none" / "x"), GITHUB_ACTIONS="true")
    assert done.exit_code == 1
    assert "cannot write the summary of the step: " in done.stderr
    assert "::error file=" in done.stderr


def test_gitlab_gets_links_to_the_reports(broken: Path, kept: Path, tmp_path: Path) -> None:
    assert call("report", str(broken)).exit_code == 0
    (kept / "verdict.json").write_text('{"verdict": "pass"}')
    environ = {
        "GITLAB_CI": "true",
        "CI_JOB_URL": "https://gitlab.example/g/p/-/jobs/7",
        "CI_PROJECT_DIR": str(tmp_path),
    }
    tell_ci([broken, kept], environ)
    assert json.loads((broken.parent / LINKS).read_text()) == {
        "gameday": [
            {
                "external_link": {
                    "label": f"fail: {broken.name}",
                    "url": f"https://gitlab.example/g/p/-/jobs/7/artifacts/file/runs/{broken.name}/report.html",
                }
            }
        ]
    }
    tell_ci([broken], {**environ, "GITLAB_CI": "", "CI_PROJECT_DIR": "/elsewhere"})
    assert f"fail: {broken.name}" in (broken.parent / LINKS).read_text()


def test_one_document_of_several_runs(broken: Path, kept: Path, tmp_path: Path) -> None:
    target = tmp_path / "metrics.txt"
    done = call("report", str(broken), str(kept), "--format", "openmetrics", "--output", str(target))
    assert (done.exit_code, done.stdout) == (0, f"{target}\n")
    assert target.read_text().count("gameday_run_exit_code{") == 2
    assert not (broken / "metrics.txt").exists()
    shown = call("report", str(broken), "--format", "csv", "--output", "-")
    assert shown.stdout_bytes.startswith(b"run,record,run_ms,utc,phase,name,requests,ok,")
    assert shown.stdout_bytes.count(b"\r\n") > 90


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--output", "x"], "name its format"),
        (["--format", "csv", "--format", "junit", "--output", "x"], "name its format"),
        (["--format", "cvs", "--output", "x"], "no report format is called 'cvs'"),
        (
            ["--format", "csv", "--output", "no/such/folder/x"],
            "cannot write no/such/folder/x: No such file or directory",
        ),
    ],
)
def test_what_cannot_be_is_refused(kept: Path, words: list[str], said: str) -> None:
    done = call("report", str(kept), *words)
    assert done.exit_code != 0
    assert said in f"{done.stderr} {done.exception}"


def test_an_unknown_format_is_refused_before_anything_is_written(kept: Path) -> None:
    before = (kept / "verdict.json").stat().st_mtime_ns
    done = call("report", str(kept), "--format", "htlm")
    assert "no report format is called 'htlm'" in str(done.exception)
    assert (kept / "verdict.json").stat().st_mtime_ns == before


def test_linked_assets_lie_beside_the_page(kept: Path) -> None:
    done = call("report", str(kept), "--format", "html", "--format", "junit", "--assets", "linked")
    assert done.exit_code == 0
    assert (kept / "report.css").read_text().startswith(":root")
    page = (kept / "report.html").read_text()
    assert '<link rel="stylesheet" href="report.css">' in page
    assert "style-src 'self'" in page
    assert "<style" not in page
    assert "style=" not in page
    assert (kept / "junit.xml").exists()
    assert call("report", str(kept)).exit_code == 0
    assert "<style>" in (kept / "report.html").read_text()


def test_html_is_one_file_for_each_run(broken: Path, kept: Path) -> None:
    done = call("report", str(broken), str(kept), "--format", "html", "--output", "x.html")
    assert "html is one file for each run, and these are 2 runs" in str(done.exception)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", ": :error::x"),
        ("  ::stop-commands::t", "  : :stop-commands::t"),
        ("a ::error::", "a ::error::"),
        ("x ##[error]y", "x ## [error]y"),
        ("##vso[task.x]", "##vso [task.x]"),
    ],
)
def test_no_line_that_is_printed_is_a_command_to_a_ci_system(text: str, shown: str) -> None:
    assert printable(text) == shown
