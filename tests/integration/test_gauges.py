"""Gauges from file to verdict, with real probes on a real target: kept, broken, failing, hanging, and without any load."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.flag_server import flag_server
from tests.harness import Lab, switch

pytestmark = pytest.mark.long


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    lab = Lab(tmp_path)
    (tmp_path / "depth").write_text("3")
    (tmp_path / "used").write_text("0.5\n")
    return lab


def flip(run: str, undo: str, active: str) -> list[dict[str, Any]]:
    """A command fault that is a line of shell, for two seconds."""
    argv = {"run": ["sh", "-c", run], "undo": ["sh", "-c", undo], "active": ["sh", "-c", active]}
    return [{"flip": {"do": "command", "with": argv, "at": "0s", "for": "2s"}}]


def deep(lab: Lab, depth: int = 5_000) -> list[dict[str, Any]]:
    """The queue of the target fills up, and its undo drains it."""
    file = lab.folder / "depth"
    return flip(f"echo {depth} > {file}", f"echo 3 > {file}", f"grep -q {depth} {file}")


def gauges(lab: Lab, **changes: Any) -> Path:
    """One gauge from an HTTP endpoint and one from a command, each with an objective, beside one on the load."""
    document = lab.document()
    recover = {"within": "2s", "hold": "1s"}
    document["slis"] = {
        "depth": {"http": f"http://127.0.0.1:{lab.port}/depth", "every": "200ms", "timeout": "1s"},
        "used": {"command": ["cat", str(lab.folder / "used")], "every": "200ms", "timeout": "1s"},
    }
    document["objectives"] |= {
        "backlog": {"expect": "max(depth) < 1000", "recover": recover},
        "disk": {"expect": "mean(used) < 90%", "recover": recover},
    }
    return lab.write(document, **changes)


def reasons(verdict: dict[str, Any]) -> dict[str, str]:
    return {row["name"]: row["reason"] for row in verdict["objectives"]}


def test_gauges_that_keep_their_limits_pass_with_their_readings(lab: Lab) -> None:
    ran = lab.measured(gauges(lab))
    assert ran.code == 0, ran.out + ran.err
    for name, value in (("backlog", 3.0), ("disk", 0.5)):
        row = next(row for row in ran.verdict["objectives"] if row["name"] == name)
        fault = row["criteria"][0]["phases"]["fault"]
        assert (fault["value"], fault["result"]) == (value, "pass")
        assert fault["readings"] >= 8
    lines = (lab.run_folder / "samples.ndjson").read_text().splitlines()
    read = [line for line in map(json.loads, lines) if line["t"] == "gauge"]
    assert {(line["sli"], line["value"]) for line in read} == {("depth", 3.0), ("used", 0.5)}
    assert lab.left_over() == []


def test_a_gauge_that_breaks_fails_the_run_and_recovers(lab: Lab) -> None:
    ran = lab.measured(gauges(lab, faults=deep(lab)))
    assert ran.code == 1, ran.out + ran.err
    assert ran.verdict["objectives_broken"] == ["backlog"]
    assert "max(depth) was 5,000; < 1000 allowed" in ran.out
    row = next(row for row in ran.verdict["objectives"] if row["name"] == "backlog")
    assert row["recovery"]["result"] == "pass"
    report = (lab.run_folder / "report.html").read_text()
    assert "max(depth)" in report
    junit = (lab.run_folder / "junit.xml").read_text()
    assert "max(depth) was 5,000" in junit


def test_a_probe_that_fails_is_no_data_and_one_without_its_number_a_query_error(lab: Lab) -> None:
    used, depth = lab.folder / "used", lab.folder / "depth"
    run = f"mv {used} {used}.gone; echo deep > {depth}"
    undo = f"mv {used}.gone {used}; echo 3 > {depth}"
    ran = lab.measured(gauges(lab, faults=flip(run, undo, f"grep -q deep {depth}")))
    assert (ran.code, ran.reasons) == (3, ["no-data", "query-error"]), ran.out + ran.err
    assert reasons(ran.verdict) == {"available": "proven", "backlog": "query-error", "disk": "no-data"}
    findings = json.dumps(ran.verdict["findings"])
    assert "No such file" in findings
    assert "not one number: 'deep'" in findings


def test_a_probe_that_hangs_is_no_data_and_does_not_hold_the_run_up(lab: Lab) -> None:
    lab_file = gauges(lab, faults=[{"flip": {"do": "command", "with": switch(lab.folder, "mute"), "for": "2s"}}])
    start = time.monotonic()
    ran = lab.measured(lab_file)
    assert (ran.code, ran.reasons) == (3, ["no-data"]), ran.out + ran.err
    assert reasons(ran.verdict) == {"available": "proven", "backlog": "no-data", "disk": "proven"}
    assert time.monotonic() - start < 40


def test_a_command_that_never_ends_is_left_by_nobody(lab: Lab) -> None:
    """It is under way when the run ends, with a time-out longer than anybody waits for."""
    document = lab.document()
    document["slis"] = {
        "depth": {"http": f"http://127.0.0.1:{lab.port}/depth", "every": "200ms"},
        "stuck": {"command": ["sh", "-c", f"sleep 300; echo {lab.folder}"], "every": "1s", "timeout": "4m"},
    }
    document["objectives"] = {"backlog": {"expect": "max(depth) < 1000", "recover": {"within": "2s", "hold": "1s"}}}
    start = time.monotonic()
    ran = lab.measured(lab.write(document))
    assert ran.code == 0, ran.out + ran.err
    assert time.monotonic() - start < 50
    assert lab.left_over() == []


def test_a_system_with_its_own_traffic_needs_no_load(lab: Lab) -> None:
    document = json.loads(gauges(lab, faults=deep(lab)).read_text())
    del document["load"], document["objectives"]["available"]
    ran = lab.measured(lab.write(document))
    assert (ran.code, ran.verdict["objectives_broken"], ran.verdict["load"]) == (1, ["backlog"], None), ran.err
    assert not lab.happened("load-started")
    assert (lab.run_folder / "report.html").exists()


def test_an_abort_rule_on_a_gauge_reverts_at_once(lab: Lab) -> None:
    faults = deep(lab)
    faults[0]["flip"]["for"] = "30s"
    ran = lab.measured(gauges(lab, faults=faults, abort=["max(depth) < 4000 for 1s"]))
    assert (ran.code, ran.reasons) == (4, ["guard"]), ran.out + ran.err
    assert ran.verdict["objectives_broken"] == ["backlog"]
    assert (lab.folder / "depth").read_text().strip() == "3"


def test_a_lost_runner_leaves_no_probe_behind(lab: Lab) -> None:
    document = json.loads(gauges(lab, faults=deep(lab)).read_text())
    document["slis"]["stuck"] = {
        "command": ["sh", "-c", f"sleep 300; echo {lab.folder}"],
        "every": "1s",
        "timeout": "4m",
    }
    document["faults"][0]["flip"]["for"] = "20s"
    with lab.active(lab.write(document)) as process:
        process.kill()
        process.wait()
    lab.await_event("reverted", by="watchdog", proven=True)
    deadline = time.monotonic() + 15
    while lab.left_over() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert lab.left_over() == []


def test_an_http_fault_is_made_proven_and_undone(lab: Lab) -> None:
    with flag_server() as server:
        calls = {
            "inject": {"post": f"{server.url}/fault", "json": {"mode": "down"}},
            "undo": {"delete": f"{server.url}/fault"},
            "active": {"get": f"{server.url}/fault", "check": ["status == 200"]},
        }
        ran = lab.measured(gauges(lab, faults=[{"flag": {"do": "http", "with": calls, "for": "2s"}}]))
        assert ran.code == 0, ran.out + ran.err
        assert [method for method, *_ in server.seen if method != "GET"] == ["POST", "DELETE"]
        assert not server.on
    assert lab.happened("reverted", fault="flag", proven=True)
