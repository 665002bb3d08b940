"""A ledger of one's own, of two judged runs that share an open finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.ledger import DAY, NOW, judged
from tests.fakes.ledger_verbs import listed, ok


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GAMEDAY_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("GAMEDAY_LEDGER", raising=False)
    return tmp_path / "state"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    judged(folder, "1-first", "fail", at=NOW - 3 * DAY, source="experiments/payments.yaml")
    judged(folder, "2-second", "fail", at=NOW - 2 * DAY, source="experiments/payments.yaml")
    return folder


@pytest.fixture
def fingerprint(runs: Path) -> str:
    """One open finding of a ledger with two runs, and people's words on it."""
    ok("findings", "import", str(runs))
    (found,) = listed()
    return str(found["fingerprint"])
