"""Every end in every phase: the fault is gone, nothing is orphaned, and something says what happened."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.harness import Lab, await_true, switch

pytestmark = pytest.mark.long
PHASES = ["warmup", "baseline", "fault", "recovery"]
CAUGHT = [
    *((signal.SIGINT, phase) for phase in PHASES),
    *((signal.SIGTERM, phase) for phase in ("baseline", "fault")),
    *((signal.SIGHUP, phase) for phase in ("fault", "recovery")),
]
"""Every phase, and every signal at least in the fault: they are handled alike."""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def begin(lab: Lab) -> Path:
    flip = {"flip": {"do": "command", "with": switch(lab.folder, "harmless"), "for": "4s"}}
    pause = {"hung": {"do": "process.pause", "with": {"process": "target"}, "at": "1s", "for": "2s"}}
    phases = {"warmup": "2s", "baseline": "2s", "recovery": "3s"}
    return lab.write(faults=[flip, pause], phases=phases)


def reach(lab: Lab, phase: str) -> None:
    """Wait until the run is well inside that phase."""
    if phase == "fault":
        lab.await_event("active", fault="hung", when="proof", active=True)
    else:
        lab.await_event("phase", name=phase)


def all_clean(lab: Lab) -> None:
    assert not (lab.folder / "harmless").exists()
    await_true(lambda: lab.left_over() == [], 5, f"nothing left: {lab.left_over()}")


@pytest.mark.parametrize(("signum", "phase"), CAUGHT, ids=lambda x: getattr(x, "name", x))
def test_a_signal_reverts_reports_and_exits_4(lab: Lab, signum: signal.Signals, phase: str) -> None:
    with lab.started(begin(lab)) as process:
        reach(lab, phase)
        process.send_signal(signum)
        assert process.wait(30) == 4, lab.log()
    assert lab.happened("abort", reason="signal", detail=signum.name)
    assert lab.events()[-1]["kind"] == "closed"
    assert (lab.run_folder / "report.html").exists()
    for fault in armed(lab):
        assert lab.happened("reverted", fault=fault, by="runner", proven=True)
    assert lab.left_over() == []
    all_clean(lab)


def armed(lab: Lab) -> set[str]:
    return {event["data"]["fault"] for event in lab.events() if event["kind"] == "armed"}


@pytest.mark.parametrize("phase", PHASES)
def test_a_killed_runner_is_undone_by_the_watchdog(lab: Lab, phase: str) -> None:
    with lab.started(begin(lab)) as process:
        reach(lab, phase)
        process.kill()
        process.wait()
        lab.await_event("taken-over", 10, by="watchdog")
        for fault in armed(lab):
            lab.await_event("reverted", 10, fault=fault, proven=True)
    all_clean(lab)
    done = subprocess.run(
        lab.command("judge", str(lab.run_folder)), capture_output=True, text=True, env=lab.environment(), check=False
    )
    assert done.returncode == 4, done.stderr
    assert "runner-lost" in done.stdout
    assert "nothing was left" in recovered(lab)


def recovered(lab: Lab) -> str:
    done = subprocess.run(
        lab.command("recover", str(lab.run_folder)), capture_output=True, text=True, env=lab.environment(), check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_stopped_runner_is_fenced_when_its_lease_is_over(lab: Lab) -> None:
    flip = {"flip": {"do": "command", "with": switch(lab.folder, "harmless"), "for": "30s"}}
    with lab.active(lab.write(faults=[flip])) as process:
        process.send_signal(signal.SIGSTOP)
        lab.await_event("reverted", 7, fault="flip", by="watchdog", proven=True)
        assert process.wait(5) == -signal.SIGKILL
    all_clean(lab)


def test_runner_and_watchdog_killed_leave_work_that_recover_does(lab: Lab) -> None:
    flip = {"flip": {"do": "command", "with": switch(lab.folder, "harmless"), "for": "30s"}}
    with lab.active(lab.write(faults=[flip])) as process:
        watchdog = next(event["data"]["pid"] for event in lab.events() if event["kind"] == "watchdog-started")
        os.kill(process.pid, signal.SIGSTOP)
        os.kill(watchdog, signal.SIGKILL)
        process.kill()
        process.wait()
    assert (lab.folder / "harmless").exists()
    judged = subprocess.run(
        lab.command("judge", str(lab.run_folder)), capture_output=True, text=True, env=lab.environment(), check=False
    )
    assert judged.returncode == 5
    command = f"gameday recover {lab.run_folder.name}"
    assert judged.stdout.startswith("DIRTY: flip may still be on")
    assert command in judged.stdout.splitlines()[0]
    reported = subprocess.run(
        lab.command("report", str(lab.run_folder)), capture_output=True, text=True, env=lab.environment(), check=False
    )
    assert reported.stdout.startswith("DIRTY: flip may still be on")
    assert command in (lab.run_folder / "junit.xml").read_text()
    page = (lab.run_folder / "report.html").read_text()
    assert page.index("DIRTY: a fault may still be on") < page.index(command)
    assert "reverted flip: proven gone" in recovered(lab)
    all_clean(lab)
    assert "nothing was left" in recovered(lab)


def test_a_lost_watchdog_aborts_and_reverts(lab: Lab) -> None:
    flip = {"flip": {"do": "command", "with": switch(lab.folder, "harmless"), "for": "30s"}}
    with lab.active(lab.write(faults=[flip])) as process:
        watchdog = next(event["data"]["pid"] for event in lab.events() if event["kind"] == "watchdog-started")
        os.kill(watchdog, signal.SIGKILL)
        assert process.wait(30) == 4
    assert lab.happened("abort", reason="watchdog-lost")
    assert lab.happened("reverted", fault="flip", proven=True)
    all_clean(lab)


def test_a_second_signal_skips_recovery_and_report_but_no_revert_and_no_record(lab: Lab) -> None:
    slow = {**switch(lab.folder, "harmless"), "undo": ["sh", "-c", f"sleep 1; rm -f {lab.folder}/harmless"]}
    flip = {"flip": {"do": "command", "with": slow, "for": "30s"}}
    phases = {"warmup": "500ms", "baseline": "2s", "recovery": "60s"}
    path = lab.write(
        faults=[flip], phases=phases, objectives={"available": {"expect": "errors < 5%", "recover": {"within": "5s"}}}
    )
    with lab.active(path) as process:
        process.send_signal(signal.SIGINT)
        lab.await_event("revert-called", fault="flip")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 4, lab.log()
    assert lab.happened("reverted", fault="flip", proven=True)
    assert lab.happened("skipped", what="recovery")
    assert lab.events()[-1]["kind"] == "closed"
    assert not (lab.run_folder / "report.html").exists()
    done = subprocess.run(
        lab.command("report", str(lab.run_folder)), capture_output=True, text=True, env=lab.environment(), check=False
    )
    assert done.returncode == 0, done.stderr
    assert (lab.run_folder / "report.html").exists()
    all_clean(lab)
