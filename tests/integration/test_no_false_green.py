"""Every way in which a run could end green without proof, one test each: none may exit with 0."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Lab, Ran, free_port, switch

pytestmark = pytest.mark.slow


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def fault(lab: Lab, at: str = "0s", length: str = "2s", **changes: Any) -> dict[str, Any]:
    """One command fault on the target's harmless switch, with some of its commands replaced."""
    return {"flip": {"do": "command", "with": {**switch(lab.folder, "harmless"), **changes}, "at": at, "for": length}}


def shell(script: str) -> list[str]:
    return ["sh", "-c", script]


def run_with(lab: Lab, one: dict[str, Any], **changes: Any) -> Ran:
    return lab.run(lab.write(faults=[one], **changes))


def test_the_same_run_without_a_hole_passes(lab: Lab) -> None:
    ran = lab.run(lab.write())
    assert ran.code == 0, ran.err
    assert ran.verdict["verdict"] == "pass"
    assert ran.reasons == ["proven"]
    assert lab.left_over() == []
    assert (lab.run_folder / "report.html").exists()


def test_steady_state_broken_before_the_fault(lab: Lab) -> None:
    (lab.folder / "broken").touch()
    ran = lab.run(lab.write())
    assert ran.code == 3
    assert ran.reasons == ["baseline"]
    assert "inject-called" not in ran.kinds()
    assert not (lab.folder / "harmless").exists()


def test_inject_raises(lab: Lab) -> None:
    ran = run_with(lab, fault(lab, run=["false"]))
    assert ran.code == 3
    assert "action-failed" in ran.reasons


def test_inject_hangs_and_returns_after_its_deadline_and_does_not_come_back(lab: Lab) -> None:
    late = lab.folder / "harmless"
    ran = run_with(lab, fault(lab, run=shell(f"sleep 6; touch {late}"), timeout="500ms"))
    assert ran.code == 3
    assert "action-failed" in ran.reasons
    time.sleep(6)  # nothing to await: the point is that nothing happens
    assert not late.exists()


def test_inject_returns_but_is_not_active(lab: Lab) -> None:
    ran = run_with(lab, fault(lab, run=["true"], length="3s"))
    assert ran.code == 3
    assert "fault-unproven" in ran.reasons


def test_fault_gone_early(lab: Lab) -> None:
    file = lab.folder / "harmless"
    ran = run_with(lab, fault(lab, run=shell(f"touch {file}; (sleep 1; rm {file}) >/dev/null 2>&1 &"), length="3s"))
    assert ran.code == 3
    assert "fault-unproven" in ran.reasons


def test_proxy_fault_that_no_traffic_meets(lab: Lab) -> None:
    proxies = {"side": {"listen": f"127.0.0.1:{free_port()}", "upstream": f"127.0.0.1:{lab.port}"}}
    ran = run_with(lab, {"down": {"do": "proxy.down", "with": {"proxy": "side"}, "for": "2s"}}, proxies=proxies)
    assert ran.code == 3
    assert "fault-unproven" in ran.reasons


def test_revert_raises_but_the_fault_is_gone(lab: Lab) -> None:
    file = lab.folder / "harmless"
    ran = run_with(lab, fault(lab, undo=shell(f"rm -f {file}; exit 1")))
    assert ran.code == 3
    assert not file.exists()


def test_revert_returns_but_the_fault_is_still_active(lab: Lab) -> None:
    ran = run_with(lab, fault(lab, undo=["true"]))
    assert ran.code == 5
    assert ran.verdict["verdict"] == "dirty"
    assert ran.out.startswith("DIRTY: flip may still be on")
    assert f"gameday recover {lab.run_folder.name}" in ran.out
    assert "DIRTY" in (lab.run_folder / "report.html").read_text()


def test_a_command_without_a_check_is_reported_undone_at_best(lab: Lab) -> None:
    ran = run_with(lab, fault(lab, active=[]))
    assert ran.code == 3
    assert "fault-unproven" in ran.reasons


def test_objective_broken_in_mid_fault_and_good_at_the_end(lab: Lab) -> None:
    blip = {"blip": {"do": "command", "with": switch(lab.folder, "broken"), "at": "1s", "for": "1s"}}
    ran = lab.run(lab.write(faults=[fault(lab, length="4s"), blip]))
    assert ran.code == 1
    assert ran.reasons == ["broken"]
    assert ran.verdict["objectives_broken"] == ["available"]


def test_steady_state_not_reached_again(lab: Lab) -> None:
    ran = run_with(lab, fault(lab, undo=shell(f"rm -f {lab.folder}/harmless; touch {lab.folder}/broken")))
    assert ran.code == 1
    assert ran.verdict["objectives"][0]["recovery"]["result"] == "fail"


def test_too_few_samples_are_refused_before_anything_is_touched(lab: Lab) -> None:
    load = {**lab.document()["load"], "rate": "5/s"}
    objectives = {"available": {"expect": "errors < 1%", "recover": {"within": "1s"}}}
    ran = lab.run(
        lab.write(load=load, objectives=objectives, phases={"warmup": "0s", "baseline": "2s", "recovery": "62s"})
    )
    assert ran.code == 3
    assert ran.reasons == ["too-few"]
    assert ran.kinds() == ["opened", "refused", "closed"]


def test_load_child_killed(lab: Lab) -> None:
    with lab.active(lab.write(faults=[fault(lab, length="6s")])) as process:
        os.kill(load_pid(lab), signal.SIGKILL)
        assert process.wait(30) == 4
    assert lab.happened("abort", reason="load-generator")
    assert lab.happened("reverted", fault="flip", proven=True)


def test_load_generator_starved(lab: Lab) -> None:
    with lab.active(lab.write(faults=[fault(lab, length="5s")])) as process:
        os.kill(load_pid(lab), signal.SIGSTOP)
        time.sleep(1.2)  # the starvation itself
        os.kill(load_pid(lab), signal.SIGCONT)
        assert process.wait(30) == 3
    assert "load-generator" in Ran(lab, 3, "", "").reasons


def load_pid(lab: Lab) -> int:
    return int(next(event["data"]["pid"] for event in lab.events() if event["kind"] == "load-started"))


def test_a_process_that_is_not_ready(lab: Lab) -> None:
    document = lab.document()
    document["system"]["target"]["ready"] = {"tcp": f"127.0.0.1:{free_port()}", "timeout": "1s"}
    ran = lab.run(lab.write(document))
    assert ran.code == 3
    assert ran.reasons == ["not-ready"]
    assert lab.left_over() == []


def test_a_process_that_ends_before_it_is_ready_says_why(lab: Lab) -> None:
    document = lab.document()
    document["system"]["target"]["run"] = ["python", "-c", "raise SystemExit('no config here')"]
    ran = lab.run(lab.write(document))
    assert ran.code == 3
    assert "no config here" in ran.err


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"title": "to ${nowhere}"}, "nowhere"),
        ({"abrot": []}, "did you mean 'abort'"),
        ({"objectives": {}}, "objective"),
        ({"faults": []}, "fault"),
    ],
    ids=["undefined variable", "misspelt key", "no objective", "no fault"],
)
def test_a_wrong_file_starts_nothing(lab: Lab, change: dict[str, Any], says: str) -> None:
    ran = lab.run(lab.write(**change))
    assert ran.code == 2
    assert says in ran.err
    assert not lab.runs.exists()
