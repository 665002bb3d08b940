"""The questions that pin the emulator, asked of this cluster: the recorded answers of a real 1.34 are this one's, too."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from tests.cluster.real import Reach
from tests.fakes.kube.contract import Questions

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(150, func_only=True)]
RECORDED = Path(__file__).parents[1] / "contract" / "kubernetes_recorded.txt"


def test_this_cluster_answers_as_the_recorded_one_did(reach: Reach, namespaces: list[str]) -> None:
    name = f"gameday-test-{secrets.token_hex(4)}"
    namespaces.append(name)
    questions = Questions(reach.kubeconfig, name, image=reach.image)
    try:
        answers = list(questions.answers())
    finally:
        questions.close()
    assert answers == RECORDED.read_text(encoding="utf-8").splitlines()
