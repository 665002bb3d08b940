"""An experiment of ours runs under `chaos run`: its faults are made, proven and undone by our drivers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gameday.spi import DriverError
from gameday_drivers.chaostoolkit_actions import active, inject, revert
from tests.harness import ROOT, Lab, switch


def exported(lab: Lab, path: Path) -> tuple[int, str, str]:
    done = lab.run_verb("export", str(path), "--chaostoolkit")
    return done.code, done.out, done.err


@pytest.mark.long
def test_an_exported_experiment_runs_under_chaos_run(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    faults = [
        {"long": {"do": "command", "with": switch(tmp_path, "long"), "at": "0s", "for": "1s"}},
        {"short": {"do": "command", "with": switch(tmp_path, "short"), "at": "200ms", "for": "300ms"}},
    ]
    code, out, err = exported(lab, lab.write(faults=faults))
    assert code == 0, err
    document = json.loads(out)
    names = [step["name"] for step in document["method"]]
    assert names == ["inject-long", "inject-short", "revert-short", "revert-long"]
    assert [step.get("pauses", {}).get("before") for step in document["method"]] == [None, 0.2, 0.3, 0.5]
    document.pop("steady-state-hypothesis")
    path = tmp_path / "exported.json"
    path.write_text(json.dumps(document))
    chaos = str(Path(sys.executable).with_name("chaos"))
    env = {**os.environ, "HOME": str(tmp_path), "GAMEDAY_STATE_DIR": str(tmp_path / "state"), "PYTHONPATH": str(ROOT)}
    words = [
        chaos,
        "--no-version-check",
        "--no-log-file",
        "run",
        str(path),
        "--journal-path",
        str(tmp_path / "journal.json"),
    ]
    done = subprocess.run(words, capture_output=True, env=env, cwd=tmp_path, check=False, timeout=60)
    journal = json.loads((tmp_path / "journal.json").read_text())
    runs = [*journal["run"], *journal["rollbacks"]]
    assert (done.returncode, {run["status"] for run in runs}) == (0, {"succeeded"}), [
        run.get("exception") for run in runs
    ]
    assert [run["output"]["active"] for run in runs] == [True, True, False, False, False, False]
    assert not (tmp_path / "long").exists()
    assert not (tmp_path / "short").exists()


@pytest.mark.long
def test_our_faults_are_ordinary_actions_and_probes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMEDAY_STATE_DIR", str(tmp_path / "state"))
    params: dict[str, Any] = switch(tmp_path)
    assert revert("command", params) == {"reverted": True, "active": False}, "safe before inject"
    assert inject("command", params)["active"] is True
    assert active("command", params) is True
    assert (tmp_path / "broken").exists()
    assert revert("command", params)["active"] is False
    assert not (tmp_path / "broken").exists()
    assert not list((tmp_path / "state").rglob("*.json")), "nothing is kept of what is undone"
    with pytest.raises(DriverError, match="no driver is called 'comand'"):
        inject("comand", params)


def test_what_only_a_run_of_ours_starts_is_not_exported(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    stop = [{"gone": {"do": "process.stop", "with": {"process": "target"}, "for": "3s"}}]
    code, out, err = exported(lab, lab.write(faults=stop))
    assert (code, out) == (2, "")
    assert "which only a run of ours starts" in err
    assert "pidfile" in err
