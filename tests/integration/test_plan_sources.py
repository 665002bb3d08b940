"""`gameday plan` asks the sources: what never could be proven is refused, a source that does not answer is named."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gameday.cli.outlook import outlook
from gameday.cli.outlook_text import text
from gameday.registry import load_driver, load_probe
from gameday.schema.loader import load_experiment
from tests.fakes.scripted_prometheus import Script, scripted_prometheus


@pytest.fixture
def server() -> Iterator[Script]:
    with scripted_prometheus() as script:
        yield script


def scraped(server: Script, *, every: float, rate: float) -> None:
    """The counters of the last five minutes."""
    now = time.time()
    count = int(300 / every)
    for selector, per_second in (("errors_total", 0.0), ("requests_total", rate)):
        values = [[now - 300 + every * n, str(round(per_second * every * n))] for n in range(count)]
        server.series[selector] = [{"metric": {"job": "front", "instance": "a:1"}, "values": values}]


def plan(
    folder: Path, url: str, *, expect: str = "ratio(api) < 0.5%", seconds: int = 60, **more: str
) -> tuple[dict[str, Any], str]:
    document = {
        "version": 1,
        "title": "t",
        "sources": {"prometheus": {"url": url}},
        "slis": {
            "api": {"prometheus": {"bad": "errors_total", "total": "requests_total"}, **more},
            "depth": {"prometheus": "queue_depth", "timeout": "1s"},
        },
        "objectives": {"o": {"expect": expect}, "backlog": {"expect": "max(depth) < 5"}},
        "faults": [
            {
                "f": {
                    "do": "command",
                    "with": {"run": ["true"], "undo": ["true"], "active": ["true"]},
                    "for": f"{seconds}s",
                }
            }
        ],
    }
    path = folder / "e.yaml"
    path.write_text(json.dumps(document, indent=1))
    loaded = load_experiment(path, drivers=load_driver, probes=load_probe)
    found = outlook(loaded, None)
    return found, text(found, loaded.experiment, 100)


def test_chances_come_from_what_the_source_counts(tmp_path: Path, server: Script) -> None:
    scraped(server, every=1, rate=100)
    found, shown = plan(tmp_path, server.url)
    assert found["refusals"] == []
    api, depth = found["sources"]
    assert (api["answers"], api["interval_ms"], api["rate"]) == (True, 1_000, pytest.approx(100, rel=0.02))
    assert (depth["sli"], depth["answers"]) == ("depth", True)
    rows = {row["phase"]: row for row in found["chances"]}
    assert rows["fault"]["requests"] == pytest.approx(5_900, rel=0.02)
    assert 0.5 < rows["fault"]["chance"] < 1
    assert "prometheus scrapes api every 1 s, lately 100 requests/s" in shown
    assert "fetches api (prometheus) once, after the phases" in shown


def test_a_phase_of_too_few_scrapes_is_refused(tmp_path: Path, server: Script) -> None:
    scraped(server, every=30, rate=1_000)
    found, shown = plan(tmp_path, server.url)
    assert {refusal["reason"] for refusal in found["refusals"]} == {"too-short"}
    assert any("the fault phase of 1m has fewer than 4 scrapes; 2m would do" in r["detail"] for r in found["refusals"])
    assert "REFUSED (too-short): o: ratio(api) < 0.5% can never be proven: it is scraped every 30s" in shown


def test_a_source_that_counts_too_little_is_refused(tmp_path: Path, server: Script) -> None:
    scraped(server, every=1, rate=5)
    found, _ = plan(tmp_path, server.url)
    assert [refusal["reason"] for refusal in found["refusals"]] == ["too-few"]
    assert "it takes 598" in found["refusals"][0]["detail"]


def test_a_counter_without_a_series_is_named(tmp_path: Path, server: Script) -> None:
    scraped(server, every=1, rate=100)
    del server.series["errors_total"]
    found, _ = plan(tmp_path, server.url)
    assert "bad has no series, which is no data" in found["sources"][0]["error"]
    found, shown = plan(tmp_path, server.url, absent="zero")
    assert (found["sources"][0]["answers"], found["sources"][0]["absent"]) == (True, "bad")
    assert "see that it is spelt right" in shown


def test_a_source_that_does_not_answer_is_named(tmp_path: Path) -> None:
    found, shown = plan(tmp_path, "http://127.0.0.1:9")
    assert [(one["sli"], one["answers"]) for one in found["sources"]] == [("api", False), ("depth", False)]
    assert found["chances"] == []
    assert "prometheus says nothing of api now: prometheus at http://127.0.0.1:9" in shown
    assert found["refusals"] == [], "the run itself may start it"
