"""Each HTTP fault of the fault proxy, and an expired certificate, has a shipped experiment. That they end as they promise is tested
with all shipped experiments.
"""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_each_has_an_experiment() -> None:
    names = {point.name for point in entry_points(group="gameday.drivers")}
    wanted = {name for name in names if name.startswith("proxy.http-")} | {"proxy.tls-expired"}
    texts = [path.read_text() for path in sorted(ROOT.glob("experiments/dependency/*.yaml"))]
    used = {name for text in texts for name in re.findall(r"do: ([\w.-]+)", text)}
    assert len(wanted) == 8
    assert wanted <= used, wanted - used


def test_each_of_them_promises_how_it_ends() -> None:
    for name in ("http-payments-trouble", "http-bad-answers", "tls-expired"):
        text = (ROOT / f"experiments/dependency/{name}.yaml").read_text()
        promises = re.findall(
            rf"^#   gameday run experiments/dependency/{name}\.yaml.*? {{2,}}(passes|fails)", text, re.MULTILINE
        )
        assert promises == ["passes", "fails"]
