"""``gameday verify`` on a real run's folder: whole, and altered in one place after another."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gameday.cli import cli
from gameday.journal.reader import digest, read_journal
from tests.harness import Lab

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lab = Lab(tmp_path_factory.mktemp("verify"))
    assert lab.measured(lab.write()).code == 0
    return lab.run_folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / finished.name))


def verify(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["verify", str(folder), *words])


def findings(folder: Path, *words: str) -> dict[str, str]:
    """The worst finding of each thing that was checked."""
    order = ("intact", "unknown", "altered")
    worst: dict[str, str] = {}
    for check in json.loads(verify(folder, *words, "--format", "json").stdout):
        worst[check["what"]] = max(worst.get(check["what"], "intact"), check["finding"], key=order.index)
    return worst


def test_a_whole_run_is_intact_and_the_head_that_was_printed_proves_it(folder: Path) -> None:
    head = json.loads((folder / "verdict.json").read_text())["journal_head"]
    found = findings(folder, "--head", head)
    assert found.pop("others") == "unknown"
    assert set(found.values()) == {"intact"}
    assert verify(folder, "--head", head).exit_code == 0
    without = verify(folder)
    assert without.exit_code == 0
    assert "unknown  head: not compared" in without.stdout


def _edit(name: str, change: Callable[[str], str]) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(change((folder / name).read_text()))


ALTERED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a request less": (_edit("samples.ndjson", lambda text: text.replace('"ok"', '"timeout"', 1)), "samples.ndjson"),
    "no samples": (lambda folder: (folder / "samples.ndjson").unlink(), "samples.ndjson"),
    "a kinder budget": (_edit("plan.json", lambda text: text.replace("errors < 5%", "errors < 50%")), "plan.json"),
    "a plan that is none": (_edit("plan.json", lambda text: text.replace('"objectives"', '"objective"')), "plan.json"),
    "another title": (_edit("experiment.yaml", lambda text: text.replace("survives", "endures")), "experiment.yaml"),
    "a better verdict": (_edit("verdict.json", lambda text: text.replace('"k": 0', '"k": 1', 1)), "verdict.json"),
    "a word of the report": (_edit("report.html", lambda text: text.replace("switch", "button", 1)), "report.html"),
    "a record": (_edit("journal.ndjson", lambda text: text.replace('"by":"runner"', '"by":"nobody"', 1)), "journal"),
    "the last record": (
        _edit("journal.ndjson", lambda text: text[: text.rindex("\n", 0, -1) + 1]),
        "journal",
    ),
}


@pytest.mark.parametrize("name", ALTERED)
def test_what_was_altered_is_named(folder: Path, name: str) -> None:
    alter, what = ALTERED[name]
    before = (folder / "journal.ndjson").read_text()
    alter(folder)
    found = findings(folder)
    if name == "the last record":
        assert (folder / "journal.ndjson").read_text() != before
        assert found[what] == "unknown"  # as after a death, which is no pass either
        assert verify(folder).exit_code != 0
    else:
        assert found[what] == "altered"
        assert verify(folder).exit_code == 1


def test_a_chain_written_anew_shows_only_beside_the_head_that_was_noted(folder: Path) -> None:
    journal = folder / "journal.ndjson"
    noted = read_journal(journal).head
    link, lines = "0" * 64, list[bytes]()
    for line in journal.read_bytes().splitlines():
        record: dict[str, Any] = {**json.loads(line), "prev": link}
        record["wall"] += 3600
        lines.append(json.dumps(record).encode())
        link = digest(lines[-1])
    journal.write_bytes(b"\n".join(lines) + b"\n")
    assert findings(folder)["journal"] == "intact"
    assert findings(folder, "--head", noted)["head"] == "altered"


def test_a_verdict_from_before_others_went_on_in_the_journal_is_not_called_altered(folder: Path) -> None:
    journal = folder / "journal.ndjson"
    whole = journal.read_bytes()
    journal.write_bytes(whole[: whole.rindex(b"\n", 0, -1) + 1])
    for verb in ("judge", "report"):
        CliRunner().invoke(cli, [verb, str(folder)])
    journal.write_bytes(whole)
    found = findings(folder)
    assert (found["verdict.json"], found["report.html"]) == ("unknown", "unknown")
    assert "altered" not in found.values()
    told = verify(folder)
    assert told.exit_code == 3
    count = whole.count(b"\n")
    assert f"when judged after record {count - 1} of {count}; what was written since is not in it" in told.stdout
    for verb in ("judge", "report"):
        CliRunner().invoke(cli, [verb, str(folder)])
    assert (findings(folder)["verdict.json"], verify(folder).exit_code) == ("intact", 0)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    assert verify(tmp_path).exit_code != 0
