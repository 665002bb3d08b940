"""Some rows of the table in docs/verdicts.md, measured: both tools on the same target."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.falsegreen.table import committed, ways
from bench.falsegreen.ways import Way
from tests.harness import Lab

pytestmark = pytest.mark.long
QUICK = ("too-few", "misspelt-key", "nothing-to-judge", "rollback-without-effect")


@pytest.mark.parametrize("way", ways(QUICK), ids=lambda way: way.name)
def test_a_row_of_the_table_is_what_both_tools_do(way: Way, tmp_path: Path) -> None:
    labs = [Lab(tmp_path / name) for name in ("peer", "ours")]
    for lab in labs:
        lab.folder.mkdir()
    ours = way.run_ours(labs[1])
    assert ours.code != 0
    assert committed()[way.says] == (way.run_peer(labs[0]), ours.code), ours.says
