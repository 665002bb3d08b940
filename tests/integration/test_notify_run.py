"""Runs that tell: the messages of a real `gameday run`, and that no receiver delays it, fails it, or learns or leaks a secret."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.receiver import answer, never, receiver
from tests.harness import Lab, Ran

CANARY = "T0CANARY"
KEY = "hmac-canary-key"


def refused(lab: Lab, *channels: dict[str, Any]) -> Path:
    """An experiment that is refused before anything starts: it could never prove what it says."""
    document = lab.document()
    document["objectives"] = {"available": {"expect": "errors < 0.1%"}}
    document["phases"] = {"warmup": "1s", "baseline": "2s", "recovery": "120s"}
    variables = {name: {"env": name.upper(), "secret": True} for name in ("first", "second", "key")}
    return lab.write(document, variables=variables, notify=list(channels), title="Cannot be shown")


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    for name in ("FIRST", "SECOND"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/unused")
    monkeypatch.setenv("KEY", KEY)
    return Lab(tmp_path)


def holders(folder: Path, *secrets: str) -> list[str]:
    return [
        str(path)
        for path in folder.rglob("*")
        if path.is_file() and any(secret.encode() in path.read_bytes() for secret in secrets)
    ]


def run_until_told(lab: Lab, path: Path, said: str, *words: str) -> Ran:
    """Run it again while its last message was late: the two seconds that a run waits are no measure of this machine's load."""
    ran = lab.run(path, *words)
    for _ in range(3):
        if said in ran.err + (lab.run_folder / "logs" / "notify.log").read_text():
            break
        ran = lab.run(path, *words)
    return ran


def unleaked(lab: Lab, ran: Ran) -> None:
    assert holders(lab.runs, CANARY, KEY) == []
    assert CANARY not in ran.out + ran.err
    assert KEY not in ran.out + ran.err


def test_the_end_of_a_run_is_told_with_its_verdict_and_link(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as made:
        monkeypatch.setenv("FIRST", made.url)
        path = refused(lab, {"webhook": "${first}", "secret": "${key}"})
        ran = run_until_told(lab, path, "webhook, end: delivered", "--report-url", "https://ci.example/run/1")
    assert ran.code == 3, ran.err
    request = made.requests[-1]
    assert "v1=" in request.headers["x-gameday-signature"]
    told = request.json
    assert (told["event"], told["verdict"], told["reasons"]) == ("end", "inconclusive", ["too-few"])
    assert (told["title"], told["link"]) == ("Cannot be shown", "https://ci.example/run/1")
    assert told["run"] == lab.run_folder.name
    assert "not notified" not in ran.err
    assert "webhook, end: delivered" in (lab.run_folder / "logs" / "notify.log").read_text()
    unleaked(lab, ran)


def test_who_did_not_ask_is_not_told(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as made:
        monkeypatch.setenv("FIRST", made.url)
        ran = lab.run(refused(lab, {"slack": "${first}", "on": ["start", "abort"]}))
    assert ran.code == 3
    assert made.connections == 0
    assert not (lab.run_folder / "logs" / "notify.log").exists()


def test_a_receiver_that_never_answers_changes_no_verdict_and_is_named(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receiver is released only when the run has ended: had the run waited for it, this test would hang."""
    with receiver(never) as stuck, receiver() as good:
        monkeypatch.setenv("FIRST", stuck.url)
        monkeypatch.setenv("SECOND", good.url)
        path = refused(lab, {"teams": "${first}"}, {"slack": "${second}"})
        ran = run_until_told(lab, path, "slack, end: delivered")
        assert not stuck.over.is_set()
    assert ran.code == 3
    assert good.requests[-1].json["text"].startswith("INCONCLUSIVE: Cannot be shown")
    assert "not notified: teams, end: late" in ran.err
    unleaked(lab, ran)


def test_a_receiver_that_refuses_is_told_by_its_answer(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver(answer(404)) as made:
        monkeypatch.setenv("FIRST", made.url)
        ran = run_until_told(lab, refused(lab, {"slack": "${first}"}), "(404)")
    assert ran.code == 3
    assert "not notified: slack, end: failed: there is no such webhook (404)" in ran.err
    unleaked(lab, ran)


def test_a_secret_in_the_file_and_a_missing_one_are_wrong_files(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = lab.run(refused(lab, {"slack": "https://hooks.slack.com/services/T0/B0/xyz"}))
    assert ran.code == 2
    assert "the URL of Slack is written out" in ran.err
    monkeypatch.delenv("FIRST")
    ran = lab.run(refused(lab, {"slack": "${first}"}))
    assert ran.code == 2
    assert "FIRST" in ran.err
    assert not lab.runs.exists()


def command_lines() -> list[str]:
    found: list[str] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and entry.name != str(os.getpid()):
            try:
                found.append((entry / "cmdline").read_bytes().decode(errors="replace"))
            except OSError:
                continue
    return found


@pytest.mark.long
def test_an_abort_is_told_while_it_is_reverted_and_a_receiver_that_hangs_holds_up_neither(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Start, abort, end; a second channel hangs for ever, which the journal and the end of the run say."""
    document = lab.document()
    variables = {name: {"env": name.upper(), "secret": True} for name in ("first", "second")}
    every = ["start", "abort", "end"]
    notify = [{"slack": "${first}", "on": every}, {"webhook": "${second}", "on": every}]
    document["phases"] = {"warmup": "100ms", "baseline": "1s", "recovery": "2s"}
    document["objectives"] = {"available": {"expect": "errors < 20%", "recover": {"within": "1s", "hold": "1s"}}}
    path = lab.write(document, variables=variables, notify=notify)
    with receiver() as good, receiver(never) as stuck:
        monkeypatch.setenv("FIRST", good.url)
        monkeypatch.setenv("SECOND", stuck.url)
        with lab.active(path) as process:
            assert not any(CANARY in line for line in command_lines())
            process.terminate()
            assert process.wait(40) == 4, lab.log()
        assert not stuck.over.is_set()
    headlines = [request.json["text"].partition(":")[0] for request in good.requests]
    late = "not notified: slack, end: late" in lab.log()
    assert headlines in (["START", "ABORT", "ABORTED"], ["START", "ABORT"] if late else [])
    notified = [event["data"] for event in lab.events() if event["kind"] == "notified"]
    told = {(one["channel"], one["event"]): one["outcome"] for one in notified}
    assert told[("slack", "start")] == "delivered"
    assert told[("slack", "abort")] == "delivered"
    assert told[("webhook", "start")] in ("pending", "failed")
    assert "not notified: webhook" in lab.log()
    verdict = json.loads((lab.run_folder / "verdict.json").read_text())
    assert verdict["verdict"] == "aborted"
    assert holders(lab.runs, CANARY) == []


def test_a_channel_is_tried_out_without_a_run(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as good, receiver(answer(404)) as bad:
        monkeypatch.setenv("FIRST", good.url)
        monkeypatch.setenv("SECOND", bad.url)
        path = refused(lab, {"slack": "${first}", "on": ["abort"]}, {"slack": "${second}"}, {"webhook": good.url})
        ran = lab.run_verb("notify", "test", str(path))
    assert ran.code == 1, ran.err
    assert ran.out.splitlines()[-1].startswith(("failed", "delivered"))
    assert sorted(ran.out.splitlines()) == [
        "delivered  slack 1",
        "delivered  webhook",
        "failed     slack 2: there is no such webhook (404)",
    ]
    assert good.requests[0].json.get("event", "test") == "test"
    assert CANARY not in ran.out + ran.err
    assert not lab.runs.exists()


def test_a_file_that_tells_nobody_says_what_would(lab: Lab) -> None:
    ran = lab.run_verb("notify", "test", str(lab.write()))
    assert ran.code == 2
    assert "tells nobody" in ran.err
    assert "docs/notifications.md" in ran.err


def test_a_game_day_is_tried_out_too(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.write()
    day = lab.folder / "day.yaml"
    document = {
        "version": 1,
        "title": "A day",
        "variables": {"first": {"env": "FIRST", "secret": True}},
        "agenda": [{"experiment": "experiment.yaml"}],
        "notify": [{"teams": "${first}"}],
    }
    day.write_text(json.dumps(document))
    with receiver() as made:
        monkeypatch.setenv("FIRST", made.url)
        ran = lab.run_verb("notify", "test", str(day), "--format", "json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out) == [{"channel": "teams", "event": "test", "outcome": "delivered", "tries": 1}]
    assert made.requests[0].json["summary"] == "TEST: A day"
