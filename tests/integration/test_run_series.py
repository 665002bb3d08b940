"""Two real runs of one experiment: the second knows the first, and a comparison and a site are made of both."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.harness import Lab, switch

pytestmark = [pytest.mark.long, pytest.mark.timeout(150)]


def gameday(lab: Lab, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        lab.command(*words),
        capture_output=True,
        text=True,
        env=lab.environment(),
        cwd=lab.folder,
        timeout=60,
        check=False,
    )


def test_the_second_run_knows_the_first(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    broken = {"flip": {"do": "command", "with": switch(lab.folder), "at": "0s", "for": "2s"}}
    path = lab.write(faults=[broken])
    first = lab.measured(path)
    assert first.code == 1, first.err
    earlier = lab.run_folder
    assert not (earlier / "previous.json").exists()
    (fingerprint,) = [f["fingerprint"] for f in first.verdict["findings"] if f["rule"] == "broken"]
    (tmp_path / "findings.yaml").write_text(f"{fingerprint}: {{owner: team-a, due: 2020-01-01}}\nabc: {{owner: b}}\n")

    second = lab.measured(path)
    assert second.code == 1, second.err
    assert "is not the fingerprint of a finding" in second.err
    newer = lab.run_folder
    kept = json.loads((newer / "previous.json").read_text())
    assert (kept["run"], kept["comparable"], kept["why"]) == (earlier.name, True, [])
    assert kept["verdict"] == json.loads((earlier / "verdict.json").read_text())
    assert sum(n for _, n, _, _ in kept["series"]["home"]) == kept["verdict"]["load"]["offered"]
    assert (newer / "findings.yaml").read_bytes() == (tmp_path / "findings.yaml").read_bytes()
    assert "team-a" in (newer / "report.html").read_text()
    assert gameday(lab, "report", str(newer)).returncode == 0
    before = (newer / "report.html").read_bytes()
    assert gameday(lab, "judge", str(newer)).returncode == 1
    assert gameday(lab, "report", str(newer)).returncode == 0
    assert (newer / "report.html").read_bytes() == before

    compared = gameday(lab, "compare", str(earlier), str(newer), "--format", "json")
    assert compared.returncode == 0, compared.stderr
    document = json.loads(compared.stdout)
    assert document["comparable"]
    assert fingerprint in {one["fingerprint"] for one in document["findings"]}

    site = gameday(lab, "report", "--site", "public", "runs")
    assert site.returncode == 0, site.stderr
    page = (tmp_path / "public" / "oncall.html").read_text()
    assert "Overdue actions (1)" in page
    assert f"runs/{newer.name}/report.html#finding-" in page
    assert (tmp_path / "public" / "runs" / newer.name / "report.html").read_bytes() == before
    assert "0 of 1 proven; 1 failing" in (tmp_path / "public" / "index.html").read_text()
