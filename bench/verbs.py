"""What the command line costs when there is much of it: 1,000 files planned and validated, and a runner that watches 1,000 arrivals/s.

Prints, of one process each: seconds for ``gameday validate`` and ``gameday plan`` of 1,000 files, beside chaoslib's validation of as
many; and the runner's own CPU, its load child not counted, as a share of a core, and its memory, while it guards a load of 1,000
arrivals per second on a small server. Goals: no verb more than 3 × the peer, which checks less; runner ≤ 5 % of a core, memory flat.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.harness import Lab, await_true, switch  # noqa: E402 - the checkout's own test harness

FILES = 1_000
RATE = 1_000
SECONDS = 30
TICKS = os.sysconf("SC_CLK_TCK")
PEER = """
import sys
from chaoslib.experiment import ensure_experiment_is_valid
from chaoslib.loader import load_experiment
from chaoslib.settings import load_settings
for name in sys.argv[1:]:
    ensure_experiment_is_valid(load_experiment(name, load_settings()))
"""

PEER_FILE = (
    """
title: Checkout survives a payments outage
description: With payments down, checkout queues the payment and still answers.
tags: [dependency, outage]
configuration:
  ports: {type: env, key: PORTS, default: "180"}
steady-state-hypothesis:
  title: customers can buy
  probes:
"""
    + "".join(
        f"""
    - type: probe
      name: probe-{index}
      tolerance: 200
      provider:
        type: http
        url: http://127.0.0.1:18080/{index}
        timeout: 3
"""
        for index in range(5)
    )
    + "method:"
    + "".join(
        f"""
  - type: action
    name: action-{index}
    provider:
      type: process
      path: "true"
      arguments: --port 18082
    pauses: {{after: 15}}
"""
        for index in range(5)
    )
    + """
rollbacks:
  - type: action
    name: undo
    provider: {type: process, path: "true"}
"""
)


def seconds(argv: list[str], folder: Path) -> float:
    """Time one whole process; it must succeed."""
    began = time.perf_counter()
    subprocess.run(argv, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - began


def files(folder: Path) -> tuple[list[str], list[str]]:
    """Write as many of ours (a shipped experiment: four processes, a proxy, three objectives) and of the peer's, of as many lines."""
    text = (ROOT / "experiments/dependency/payments-outage.yaml").read_text()
    for kind, content in (("ours", text), ("theirs", PEER_FILE)):
        (folder / kind).mkdir()
        for index in range(FILES):
            (folder / kind / f"e{index}.yaml").write_text(content)
    return sorted(map(str, folder.glob("ours/*"))), sorted(map(str, folder.glob("theirs/*")))


def verbs() -> None:
    """Print how long the verbs that read files take for all of them."""
    gameday = str(Path(sys.executable).parent / "gameday")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, theirs = files(folder)
        peer = seconds([sys.executable, "-c", PEER, *theirs], folder)
        for verb in ("validate", "plan"):
            mine = seconds([gameday, verb, *ours], folder)
            each = 1000 * mine / FILES
            print(
                f"{verb} of {FILES:,} files: {mine:.1f} s, {each:.1f} ms each; chaoslib {peer:.1f} s, ratio {mine / peer:.2f}"
            )


def used(pid: int) -> tuple[float, float]:
    """CPU seconds of one process, its children not counted, and its resident memory in MB."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return (int(fields[11]) + int(fields[12])) / TICKS, pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def runner() -> None:
    """Print what the runner uses while it watches a heavy load."""
    with tempfile.TemporaryDirectory() as name:
        lab = Lab(Path(name))
        document = lab.document()
        document["load"]["rate"] = f"{RATE}/s"
        document["phases"] = {"warmup": "3s", "baseline": f"{SECONDS}s", "recovery": "4s"}
        document["abort"] = ["errors lose 3s of traffic beyond 50%"]
        document["faults"] = [{"flip": {"do": "command", "with": switch(lab.folder), "at": "0s", "for": "1s"}}]
        with lab.started(lab.write(document)) as process:
            await_true(lambda: lab.happened("phase", name="baseline"), 30, "the baseline")
            before, memory = used(process.pid)
            time.sleep(SECONDS - 2)
            after, later = used(process.pid)
            process.terminate()
            process.wait()
    share = (after - before) / (SECONDS - 2)
    print(
        f"runner at {RATE:,} arrivals/s: {100 * share:.1f}% of a core (goal ≤ 5%), {memory:.0f} MB, {later:.0f} MB later"
    )


def main() -> None:
    verbs()
    runner()


if __name__ == "__main__":
    main()
