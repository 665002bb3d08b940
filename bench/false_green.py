"""Every way in which ``chaos run`` ends 0 without proof, and what ``gameday run`` ends with: both tools, side by side, on loopback.

    python bench/false_green.py [--write] [WAY…]

--write puts the table, or the named rows of it, into docs/verdicts.md; all of them take about three minutes.

Exits 1 when ours ends 0 in any of them, or when Chaos Toolkit does not: then the row has no business in the table.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.falsegreen.table import PAGE, Row, kept, rewrite, table, ways
from bench.falsegreen.ways import WAYS, Ended, Way
from tests.harness import Lab

BUSY = "load-generator"
"""The reason of a run whose own load was late: on a machine that is busy with something else. That is no measurement."""
ATTEMPTS = 3


def measure(way: Way) -> Row:
    """Run both tools, each in a folder and with a target of its own."""
    with tempfile.TemporaryDirectory() as folder:
        peer = way.run_peer(Lab(Path(folder)))
    ours = Ended(code=0, says="")
    for _ in range(ATTEMPTS):
        with tempfile.TemporaryDirectory() as folder:
            ours = way.run_ours(Lab(Path(folder)))
        if BUSY not in ours.says:
            break
    print(f"{way.name:<30} chaos run {peer}   gameday run {ours.code} ({ours.says})", flush=True)
    return Row(says=way.says, peer=peer, ours=ours)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into docs/verdicts.md")
    parser.add_argument("ways", nargs="*", metavar="WAY")
    given = parser.parse_args()
    measured = {way.says: measure(way) for way in ways(given.ways)}
    known = {**kept(), **measured}
    rows = [known[way.says] for way in WAYS if way.says in known]
    new = table(
        rows,
        f"chaostoolkit {version('chaostoolkit')} (chaostoolkit-lib {version('chaostoolkit-lib')}) "
        f"and gameday {version('gameday-runner')} on Python {platform.python_version()}",
    )
    print(f"\n{new}")
    if given.write:
        PAGE.write_text(rewrite(PAGE.read_text(), new))
    return 0 if all(row.peer == 0 and row.ours.code != 0 for row in measured.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
