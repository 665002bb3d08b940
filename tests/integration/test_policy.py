"""A policy beside an experiment, on real runs: what it forbids never begins, and what it adds stops a run."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from tests.harness import Lab

STAGING = '[environments.staging]\nhosts = ["127.0.0.1"]\n'
OPEN = STAGING + 'allow = ["*", "command"]\n'


def planned(lab: Lab, path: Path) -> tuple[int, list[dict[str, str]]]:
    done = subprocess.run(
        lab.command("plan", str(path), "--format", "json"),
        capture_output=True,
        text=True,
        env=lab.environment(),
        check=False,
    )
    return done.returncode, json.loads(done.stdout)["refusals"]


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        (STAGING + 'deny = ["command"]', "flip uses command, which is denied"),
        (STAGING, "which can reach anything"),
        ('[environments.production]\nhosts = ["*.example.com"]', "which is in no environment"),
        (OPEN + 'approvals = 2\napprovers = "none"', "approvals cannot be checked"),
    ],
)
def test_what_is_forbidden_never_begins_and_plan_says_why(tmp_path: Path, rules: str, says: str) -> None:
    lab = Lab(tmp_path)
    path = lab.write()
    (tmp_path / "gameday.toml").write_text(rules)
    done = lab.measured(path)
    assert (done.code, done.reasons) == (3, ["policy"])
    assert says in done.verdict["stopped"]["detail"]
    assert done.kinds() == ["opened", "refused", "closed"]
    code, refused = planned(lab, path)
    assert code == 3
    assert any(one["reason"] == "policy" and says in one["detail"] for one in refused)


def test_targets_are_refused_when_they_are_known_and_before_any_fault(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    path = lab.write()
    (tmp_path / "gameday.toml").write_text(OPEN + 'deny_targets = ["*harmless*"]')
    done = lab.measured(path)
    assert (done.code, done.reasons) == (3, ["policy"])
    assert not {"armed", "inject-called", "load-started"} & set(done.kinds())
    assert not lab.left_over()


def test_a_policy_that_cannot_be_read_lets_nothing_run(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    path = lab.write()
    (tmp_path / "gameday.toml").write_text("[environments")
    done = lab.measured(path)
    assert done.code == 2
    assert "is not TOML" in done.err
    assert not lab.runs.exists() or not list(lab.runs.iterdir())


@pytest.mark.long
def test_an_abort_rule_of_the_policy_stops_a_run_that_has_none(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    document = lab.document()
    document["faults"][0]["flip"]["with"] = {
        "run": ["touch", str(tmp_path / "broken")],
        "undo": ["rm", "-f", str(tmp_path / "broken")],
        "active": ["test", "-e", str(tmp_path / "broken")],
    }
    document["faults"][0]["flip"]["for"] = "20s"
    path = lab.write(document)
    (tmp_path / "gameday.toml").write_text(OPEN + 'abort = ["errors lose 500ms of traffic beyond 10%"]')
    done = lab.measured(path)
    assert done.code in (1, 4)
    assert done.verdict["aborted_by"] == "guard"
    assert done.verdict["faults"][0]["undo"] == "proven"
    opened = done.lab.events()[0]["data"]
    policy = tmp_path / "gameday.toml"
    digest = hashlib.sha256(policy.read_bytes()).hexdigest()
    assert opened["policy"] == [{"file": str(policy), "sha256": digest, "environments": ["staging"]}]
