"""`gameday run` of Chaos Toolkit files: none of the ways in which they end green without proof is a pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.chaos_files import action, experiment, probe, write
from tests.harness import Lab

pytestmark = pytest.mark.long
PHASES = {"warmup": "0s", "baseline": "1s", "recovery": "3s"}


def documents(folder: Path) -> dict[str, tuple[dict[str, Any], int, str]]:
    """Experiments by name, each with the exit code and the first reason that it must come to."""
    steady = str(folder / "steady")
    lost = str(folder / "lost-in-between")
    (folder / "lost-in-between").touch()
    found: dict[str, tuple[dict[str, Any], int, str]] = {}

    def case(name: str, code: int, reason: str, **changes: Any) -> None:
        found[name] = ({**experiment(folder), "title": name, **changes}, code, reason)

    hypothesis = {"title": "h", "probes": [probe("steady", "is_on", path=steady)]}
    during = {"title": "h", "probes": [probe("steady", "is_on", path=lost)]}
    case("passes", 0, "proven")
    case("an action fails", 3, "action-failed", method=[action("broken", "fail")])
    case("a probe of the method fails", 3, "action-failed", method=[action("nothing", "nothing"), probe("p", "fail")])
    case("no hypothesis", 3, "no-data")
    found["no hypothesis"][0].pop("steady-state-hypothesis")
    case("no action", 3, "skipped", method=[])
    case("a dry action", 3, "skipped", method=[{**action("nothing", "nothing"), "dry": "actions"}])
    case(
        "not steady before",
        3,
        "baseline",
        **{"steady-state-hypothesis": {"title": "h", "probes": [probe("p", "is_on", path="/absent")]}},
    )
    case(
        "lost during, and back", 1, "broken",
        runtime={"hypothesis": {"strategy": "continuously"}},
        method=[
            action("lose", "switch_off", path=lost),
            {**action("wait", "sleep", seconds=1.3)},
            action("bring back", "switch_on", path=lost),
        ],
        **{"steady-state-hypothesis": during},
    )  # fmt: skip
    case(
        "lost after",
        1,
        "broken",
        method=[action("lose", "switch_off", path=lost)],
        rollbacks=[action("back", "switch_on", path=lost)],
        **{"steady-state-hypothesis": during},
    )
    case(
        "nobody looked before",
        3,
        "baseline",
        runtime={"hypothesis": {"strategy": "after-method-only"}},
        **{"steady-state-hypothesis": hypothesis},
    )
    case(
        "nobody looked after",
        3,
        "no-data",
        runtime={"hypothesis": {"strategy": "before-method-only"}},
        **{"steady-state-hypothesis": hypothesis},
    )
    case("rollbacks that the file would not play", 0, "proven", runtime={"rollbacks": {"strategy": "never"}})
    return found


def test_nothing_is_green_without_proof(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    cases = documents(tmp_path)
    paths = [
        str(write(tmp_path / f"{index:02}.json", document)) for index, (document, _, _) in enumerate(cases.values())
    ]
    ran = lab.run(Path(paths[0]), *paths[1:], "--format", "json", timeout=120)
    verdicts = json.loads(ran.out)
    found = {one["title"]: (one["exit_code"], one["reasons"][0]) for one in verdicts}
    assert found == {name: (code, reason) for name, (_, code, reason) in cases.items()}
    assert not (tmp_path / "flag").exists(), "every rollback was played"
    journals = sorted(lab.runs.glob("*/chaos-journal.json"))
    assert len(journals) == len(cases)
    assert all(json.loads(path.read_text())["experiment"]["title"] for path in journals)
    assert lab.left_over() == []


def test_a_rollback_that_fails_is_dirty_until_recover_has_played_it(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    folder = tmp_path / "absent"
    undo = action("note", "append", path=str(folder / "log"), line="undone")
    ran = lab.run(
        write(tmp_path / "dirty.json", experiment(tmp_path, rollbacks=[*experiment(tmp_path)["rollbacks"], undo]))
    )
    assert (ran.code, ran.reasons) == (5, ["residue"])
    assert not (tmp_path / "flag").exists(), "the other rollback was played"
    folder.mkdir()
    recovered = lab.run_verb("recover", str(lab.run_folder))
    assert recovered.code == 0, recovered.out + recovered.err
    assert (folder / "log").read_text() == "undone\n"


def test_an_overlay_adds_load_and_objectives(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    steps = [action("make", "switch_on", path=str(tmp_path / "flag")), action("hold", "sleep", seconds=2)]
    write(tmp_path / "existing.json", experiment(tmp_path, method=steps))
    document = {key: value for key, value in lab.document().items() if key != "faults"}
    ran = lab.measured(lab.write({**document, "phases": PHASES, "uses": {"file": "existing.json", "for": "20s"}}))
    assert (ran.code, ran.reasons) == (0, ["proven"]), ran.out + ran.err
    verdict = ran.verdict
    assert [one["name"] for one in verdict["objectives"]] == ["available"]
    assert verdict["chaostoolkit"][0]["hypothesis"]["verdict"] == "pass"
    window = next(one for one in verdict["windows"] if one["name"] == "fault")
    assert 1_900 < window["to_ms"] - window["from_ms"] < 5_000, "as long as its method and rollbacks, not its maximum"
    assert not (tmp_path / "flag").exists()
