"""What an approval is about: the same targets and the same experiment, whatever is new for every run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gameday.policy.subject import composed_json, covers, lasting
from gameday.runner.folder import subject_of
from gameday.schema.experiment import Experiment
from gameday.schema.loader import Loaded, load_experiment
from tests.fakes.policies import fault, run_at
from tests.fakes.stories import experiment

K8S = "in prod (https://k8s.test:6443)"
SYSTEM = {"shop": {"run": ["shop"]}}


@pytest.mark.parametrize(
    ("run", "found", "lasts"),
    [
        (
            run_at(**fault("k8s.pod-kill", context="prod")),
            (f"pod shop/web-1 on node-a {K8S}", f"pod shop/web-2 (nothing starts it again) {K8S}", f"pod mail/x {K8S}"),
            {f"pod shop/* {K8S}": 2, f"pod mail/* {K8S}": 1},
        ),
        (
            run_at(**fault("k8s.network-deny", context="prod")),
            (f"pod shop/web-1 (ingress) {K8S}",),
            {f"pod shop/* {K8S}": 1},
        ),
        (
            run_at(**fault("k8s.node-cordon", context="prod")),
            (f"node a {K8S}", f"node b {K8S}"),
            {f"node a {K8S}": 1, f"node b {K8S}": 1},
        ),
        (
            run_at(system=SYSTEM, **fault("process.kill", process="shop")),
            ("shop (nothing starts it again)",),
            {"process shop of the run": 1},
        ),
        (
            run_at(**fault("k8s.container-kill", context="prod")),
            ("container app of pod shop/web-1 on node-a in my prod (https://k8s.test:6443)",),
            {"container app of pod shop/* in my prod (https://k8s.test:6443)": 1},
        ),
        (run_at(**fault("acme.x")), ("pod shop/web-1 somewhere",), {"pod shop/web-1 somewhere": 1}),
        (run_at(**fault("process.pause", match="shop")), ("shop (pid 7)",), {"shop (pid 7)": 1}),
    ],
)
def test_what_lasts_of_targets(run: Experiment, found: tuple[str, ...], lasts: dict[str, int]) -> None:
    assert lasting(run, {"one": found}) == {"one": lasts}


def test_fewer_of_the_same_pods_are_covered_and_more_are_not() -> None:
    approved = {"one": {f"pod shop/* {K8S}": 2}}
    assert covers(approved, {"one": {f"pod shop/* {K8S}": 1}})
    assert not covers(approved, {"one": {f"pod shop/* {K8S}": 3}})
    assert not covers(approved, {"one": {f"pod shop/* {K8S.replace('6443', '6444')}": 1}})


def test_a_composed_experiment_is_another_when_anything_of_it_is(tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text("1")
    run = run_at().to_json()
    with_file = {**run, "load": {"target": "http://127.0.0.1", "users": 1, "locustfile": "locustfile.py"}}
    chaos = {
        **run,
        "faults": [
            {"name": "a", "do": "chaostoolkit.experiment", "with": {"file": str(tmp_path / "c.json")}, "for": "1s"}
        ],
    }

    def hashes() -> list[str]:
        return [composed_json(one, tmp_path) for one in (run, with_file, chaos)]

    before = hashes()
    assert before == hashes()
    (tmp_path / "locustfile.py").write_text("2")
    (tmp_path / "c.json").write_text("{}")
    assert [a == b for a, b in zip(before, hashes(), strict=True)] == [True, False, False]


def test_what_is_new_for_every_run_is_approved_once(tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    file = experiment(title="of ${run.id} with ${run.seed}", variables={"most": "1"})
    path.write_text(json.dumps({**file, "faults": [{"down": {"do": "proxy.down", "at": "0s", "for": "40s"}}]}))

    def loaded(run: str, most: str = "1") -> Loaded:
        return load_experiment(path, builtins={"run.id": run, "run.seed": run}, variables={"most": most})

    first, second = loaded("1"), loaded("2")
    assert first.experiment.title != second.experiment.title
    assert subject_of(first) == subject_of(second)
