"""Whole runs note themselves; a ledger that never answers changes no verdict."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tests.harness import Lab, switch


@pytest.mark.long
@pytest.mark.timeout(150)
def test_a_failing_run_opens_a_finding_and_a_passing_one_closes_it_whatever_its_ledger_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, file = Lab(tmp_path), str(tmp_path / "ledger.db")
    document = lab.document() | {"phases": {"warmup": "0s", "baseline": "2s", "recovery": "3s"}}
    breaks = {"flip": {"do": "command", "with": switch(lab.folder), "at": "0s", "for": "1500ms"}}
    survives = {"flip": {"do": "command", "with": switch(lab.folder, "harmless"), "at": "0s", "for": "2s"}}

    monkeypatch.setenv("GAMEDAY_LEDGER", file)
    monkeypatch.setenv("GAMEDAY_LEDGER_SECONDS", "50")
    failed = lab.measured(lab.write(document, faults=[breaks]))
    assert failed.code == 1, failed.out + failed.err
    assert "open finding" in failed.err
    assert "ledger:" not in failed.out
    listed = json.loads(lab.run_verb("findings", "list", "--format", "json").out)["findings"]
    assert {one["state"] for one in listed} == {"open"}
    assert {one["fingerprint"] for one in listed} == {one["fingerprint"] for one in failed.verdict["findings"]}

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://me:s3cret@127.0.0.1:{silent.getsockname()[1]}/gameday"
        monkeypatch.setenv("GAMEDAY_LEDGER", url)
        monkeypatch.setenv("GAMEDAY_LEDGER_SECONDS", "1")
        passed = lab.measured(lab.write(document, faults=[survives]))
    assert passed.code == 0, passed.out + passed.err
    assert passed.verdict["verdict"] == "pass"
    (line,) = [line for line in passed.err.splitlines() if "ledger:" in line]
    assert "gameday findings import" in line
    assert "s3cret" not in passed.out + passed.err
    assert not [path for path in lab.run_folder.rglob("*") if path.is_file() and b"s3cret" in path.read_bytes()]

    monkeypatch.setenv("GAMEDAY_LEDGER", file)
    assert lab.run_verb("findings", "import", str(lab.run_folder)).code == 0
    after = json.loads(lab.run_verb("findings", "list", "--format", "json").out)["findings"]
    broken = [one for one in after if one["rule"] == "broken"]
    assert broken
    assert {one["state"] for one in broken} == {"closed"}
    assert {one["closed_by"]["run"] for one in broken} == {lab.run_folder.name}
