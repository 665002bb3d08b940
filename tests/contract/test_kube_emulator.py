from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.kube import FakeKube
from tests.fakes.kube.contract import Questions

RECORDED = Path(__file__).with_name("kubernetes_recorded.txt")


@pytest.mark.long
def test_the_emulator_answers_as_a_real_server_did(tmp_path: Path) -> None:
    """Every one of the recorded answers of a real API server (1.34.9), by the official client."""
    recorded = RECORDED.read_text(encoding="utf-8").splitlines()
    with FakeKube(stop_seconds=0.2) as kube:
        questions = Questions(kube.write_kubeconfig(tmp_path / "config"), "ct")
        try:
            answers = list(questions.answers())
        finally:
            questions.close()
    assert len(recorded) > 50
    assert answers == recorded
