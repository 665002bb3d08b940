"""From the guard's decision to the first revert, in a real run."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.truth.reverting import decision_to_revert_ms
from tests.harness import Lab


@pytest.mark.slow
def test_the_revert_begins_within_ten_milliseconds_of_the_decision(tmp_path: Path) -> None:
    assert decision_to_revert_ms(Lab(tmp_path)) <= 10
