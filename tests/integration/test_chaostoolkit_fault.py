"""Real runs with a fault and a gauge from a Chaos Toolkit extension."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.harness import Lab

pytestmark = pytest.mark.long
MODULE = "tests.fakes.chaos_extension"


def call(func: str, **arguments: Any) -> dict[str, Any]:
    return {"module": MODULE, "func": func, "arguments": arguments}


def document(lab: Lab, **fault: Any) -> dict[str, Any]:
    flag = str(lab.folder / "flag")
    (lab.folder / "depth").write_text("3")
    within = {**call("switch_on", path=flag), "undo": call("switch_off", path=flag), "active": call("is_on", path=flag)}
    return {
        "version": 1,
        "title": "An extension's action and an extension's probe",
        "slis": {"depth": {"chaostoolkit": call("number_in", path=str(lab.folder / "depth")), "every": "500ms"}},
        "objectives": {"shallow": {"expect": "max(depth) < 10", "recover": {"within": "1s", "hold": "1s"}}},
        "phases": {"warmup": "0s", "baseline": "2s", "recovery": "3s"},
        "faults": [{"flip": {"do": "chaostoolkit", "with": {**within, **fault}, "for": "2s"}}],
    }


def test_an_action_is_proven_and_undone_and_a_probe_is_judged(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    ran = lab.measured(lab.write(document(lab)))
    assert ran.code == 0, ran.out + ran.err
    fault = ran.verdict["faults"][0]
    assert (fault["proof"], fault["undo"]) == ("proven", "proven")
    assert not (tmp_path / "flag").exists()


def test_an_action_that_hangs_is_ended_and_undone(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    flag = str(tmp_path / "flag")
    ran = lab.measured(lab.write(document(lab, timeout="1s", arguments={"path": flag, "slowly": 5.0})))
    assert (ran.code, ran.verdict["faults"][0]["reason"]) == (3, "action-failed")
    assert "within 1 s" in ran.verdict["faults"][0]["detail"]
    assert not (tmp_path / "flag").exists()
    assert lab.left_over() == []
