"""``silence_alerts:`` around real runs on a real Alertmanager: from before the warm-up to after the recovery, and never left behind."""

from __future__ import annotations

import json
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.alertmanager import Alertmanager, alertmanager
from tests.harness import Lab, await_true, free_port

pytestmark = pytest.mark.long
SILENCE = "silence_alerts"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    with alertmanager(tmp_path_factory.mktemp("alertmanager")) as made:
        yield made


def silences(server: Alertmanager, run: str) -> list[str]:
    with urllib.request.urlopen(f"{server.url}/api/v2/silences", timeout=5) as got:
        return [one["status"]["state"] for one in json.loads(got.read()) if run in one["comment"]]


def written(lab: Lab, url: str, **changes: Any) -> Path:
    """A run without load: what a busy machine does to a load generator is none of its business."""
    document = lab.document()
    del document["load"]
    (lab.folder / "depth").write_text("1")
    document["slis"] = {"depth": {"http": f"http://127.0.0.1:{lab.port}/depth", "every": "500ms"}}
    document["objectives"] = {"shallow": {"expect": "max(depth) < 10", "recover": {"within": "2s", "hold": "1s"}}}
    document["phases"] = {"warmup": "100ms", "baseline": "2s", "recovery": "4s"}
    sources = {"alertmanager": {"url": url}}
    return lab.write(document, sources=sources, silence_alerts=["Burn", "Slow"], **changes)


def test_it_spans_the_run_counts_as_no_fault_and_is_gone(server: Alertmanager, tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    ran = lab.measured(written(lab, server.url))
    events = [(event["kind"], event["data"].get("fault", event["data"].get("name", ""))) for event in lab.events()]
    order = [
        ("armed", SILENCE),
        ("phase", "warmup"),
        ("armed", "flip"),
        ("reverted", "flip"),
        ("phase", "recovery"),
        ("phase", "end"),
        ("reverted", SILENCE),
        ("closed", ""),
    ]
    assert set(order) <= set(events), (ran.reasons, ran.err)
    places = [events.index(one) for one in order]
    assert places == sorted(places)
    verdict = ran.verdict
    assert verdict["verdict"] == "pass", ran.out + ran.err
    assert [fault["name"] for fault in verdict["faults"]] == ["flip"]
    windows = {one["name"]: one for one in verdict["windows"]}
    flip = verdict["faults"][0]
    assert (windows["fault"]["from_ms"], windows["fault"]["to_ms"]) == (flip["proven_ms"], flip["reverted_ms"])
    assert windows["recovery"]["from_ms"] == flip["reverted_ms"]
    assert verdict["residue"] == []
    assert silences(server, lab.run_folder.name) == ["expired"]
    assert "silenced while this run is on, which is no fault: Burn, Slow" in ran.err


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_however_the_run_ends_it_is_ended(server: Alertmanager, tmp_path: Path, signum: signal.Signals) -> None:
    lab = Lab(tmp_path)
    with lab.started(written(lab, server.url)) as process:
        lab.await_event("phase", name="warmup")
        run = lab.run_folder.name
        assert silences(server, run) == ["active"]
        process.send_signal(signum)
        by = "watchdog" if signum is signal.SIGKILL else "runner"
        lab.await_event("reverted", fault=SILENCE, by=by)
        process.wait(30)
    await_true(lambda: silences(server, run) == ["expired"], 10, "it is ended")


def test_plan_names_what_it_silences_and_makes_nothing(server: Alertmanager, tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    ran = lab.run_verb("plan", str(written(lab, server.url)))
    assert ran.code == 0, ran.out + ran.err
    assert "silenced from the warm-up to the end, which is no fault: alert Burn at alertmanager, alert Slow" in ran.out
    assert "active" not in silences(server, "gameday run")
    lost = lab.run_verb("plan", str(written(lab, f"http://127.0.0.1:{free_port()}")))
    assert lost.code == 3
    assert "silence_alerts cannot be planned" in lost.out


def test_an_alertmanager_that_does_not_answer_means_no_run(tmp_path: Path) -> None:
    """Somebody would be paged: nothing is loaded and nothing injected."""
    lab = Lab(tmp_path)
    ran = lab.measured(written(lab, f"http://127.0.0.1:{free_port()}"))
    assert ran.code == 3
    assert ran.reasons == ["action-failed"]
    assert "the alerts cannot be silenced" in ran.err
    begun = {event["kind"] for event in lab.events() if event["data"].get("name") != "end"}
    assert not {"probe-started", "armed", "phase"} & begun
