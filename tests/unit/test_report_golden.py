"""The bytes of one small run are committed: no change of the reports goes unseen, and no platform writes them otherwise.

After a wanted change: look at the page, then ``GAMEDAY_UPDATE_GOLDEN=1 pytest tests/unit/test_report_golden.py``, and commit
tests/golden with it. With the variable set the test writes the files and fails, so that it can never be left on.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gameday.registry import renderers
from gameday.spi import Renderer
from tests.fakes.sample_run import sample_run

GOLDEN = Path(__file__).parents[1] / "golden"
FORMATS = ("csv", "github", "github-annotations", "html", "junit", "markdown", "openmetrics")
RENDERERS = renderers(FORMATS)


@pytest.mark.parametrize("renderer", RENDERERS, ids=lambda renderer: renderer.name)
def test_the_bytes_are_the_committed_ones(renderer: Renderer) -> None:
    found = renderer.render(sample_run("fail", baseline_s=4, fault_s=4, recovery_s=12, objectives=2))
    file = GOLDEN / renderer.filename
    if os.environ.get("GAMEDAY_UPDATE_GOLDEN"):
        file.write_bytes(found)
        pytest.fail(f"wrote {file.name}; look at it, unset GAMEDAY_UPDATE_GOLDEN and run again")
    assert found == file.read_bytes()


def test_neither_the_hash_seed_nor_the_time_zone_nor_the_language_changes_a_byte() -> None:
    program = (
        "import hashlib\nfrom gameday.registry import renderers\nfrom tests.fakes.sample_run import sample_run\n"
        "run = sample_run('fail', baseline_s=4, fault_s=4, recovery_s=12, objectives=2)\n"
        f"print(hashlib.sha256(b''.join(one.render(run) for one in renderers({FORMATS!r}))).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            check=True,
            text=True,
            cwd=GOLDEN.parents[1],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language},
        ).stdout
        for seed, zone, language in (("1", "Asia/Tokyo", "C"), ("2", "America/New_York", "C.UTF-8"))
    }
    assert len(found) == 1
