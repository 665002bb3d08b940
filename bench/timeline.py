"""How far from its planned time each fault is injected, with load on; and Chaos Toolkit's way beside it.

Ours: faults at absolute offsets from time zero. Chaos Toolkit has no timeline: a method is a list with pauses, so the durations of
its activities add up; the same offsets written as pauses show the drift. Prints both and the ratio. Goal: our p99 ≤ 5 ms.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.harness import Lab, switch  # noqa: E402 - the checkout's own test harness

FAULTS, SPACING_MS = 40, 250


def ours(folder: Path) -> list[float]:
    """Milliseconds between each planned and real inject, in one run at 200 arrivals/s."""
    lab = Lab(folder)
    document = lab.document()
    document["load"]["rate"] = "200/s"
    faults = [
        {f"f{i}": {"do": "command", "with": switch(folder, f"s{i}"), "at": f"{i * SPACING_MS}ms", "for": "3s"}}
        for i in range(FAULTS)
    ]
    ran = lab.run(lab.write(document, faults=faults), timeout=120)
    events = lab.events()
    called = {e["data"]["fault"]: e["wall"] for e in events if e["kind"] == "inject-called"}
    at_ms = {e["data"]["fault"]: e["at_ms"] for e in events if e["kind"] == "inject-called"}
    zero = next(e["at_ms"] for e in events if e["kind"] == "phase" and e["data"]["name"] == "fault")
    assert len(called) == FAULTS, ran.err
    return sorted(abs(at_ms[f"f{i}"] - zero - i * SPACING_MS) for i in range(FAULTS))


def theirs(folder: Path) -> list[float]:
    """The same offsets as a Chaos Toolkit method: an action, then a pause of the spacing."""
    action = {
        "type": "action",
        "provider": {"type": "process", "path": "true"},
        "pauses": {"after": SPACING_MS / 1000},
    }
    method = [{**action, "name": f"f{i}"} for i in range(FAULTS)]
    (folder / "e.json").write_text(json.dumps({"title": "t", "description": "d", "method": method, "rollbacks": []}))
    chaos = str(Path(sys.executable).parent / "chaos")
    subprocess.run([chaos, "--no-version-check", "run", "e.json"], cwd=folder, capture_output=True, check=True)
    runs = json.loads((folder / "journal.json").read_text())["run"]
    starts = [datetime.fromisoformat(run["start"]).timestamp() * 1000 for run in runs]
    return sorted(abs(start - starts[0] - i * SPACING_MS) for i, start in enumerate(starts))


def shown(errors: list[float]) -> str:
    return f"median {errors[len(errors) // 2]:.1f} ms, p99 {errors[int(0.99 * (len(errors) - 1))]:.1f} ms, max {errors[-1]:.1f} ms"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        mine = ours(Path(name))
    with tempfile.TemporaryDirectory() as name:
        peer = theirs(Path(name))
    print(f"start error of {FAULTS} faults with 200 arrivals/s on: {shown(mine)} (goal: p99 ≤ 5 ms)")
    print(f"Chaos Toolkit, the same offsets as pauses, no load: {shown(peer)}")
    print(f"ratio of the medians: {mine[len(mine) // 2] / max(peer[len(peer) // 2], 0.001):.3f}")


if __name__ == "__main__":
    main()
