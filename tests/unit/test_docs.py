"""What the documentation and the shipped experiments say is true: files are valid, commands and links exist, codes agree."""

from __future__ import annotations

import math
import re
import shlex
from pathlib import Path

import click
import pytest

from gameday.cli import cli
from gameday.judge.chance import WANTED, chances
from gameday.model import EXIT_INTERNAL, EXIT_NOT_NOW, EXIT_USAGE, Verdict
from gameday.registry import load_driver
from gameday.schema.day.loader import is_day, load_day
from gameday.schema.loader import Loaded, load_experiment
from gameday.schema.recovery import recover_window

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
EXPERIMENTS = sorted(
    path
    for path in ROOT.glob("experiments/**/*.yaml")
    if path.parent.name not in ("slis", "fragments") and not is_day(path.read_bytes())
)
DAYS = sorted(path for path in ROOT.glob("experiments/gamedays/*.yaml") if is_day(path.read_bytes()))
PORTS = re.compile(r'ports: \{default: "(\d+)"\}')
SHOPS = [path for path in EXPERIMENTS if PORTS.search(path.read_text())]
FENCE = re.compile(r"^```ya?ml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(?:#|    )\s*(?:\$ )?(gameday(?: .*)?)$", re.MULTILINE)


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(start: str) -> list[object]:
    """Every YAML block of the documentation that begins with this key."""
    found = [(page, text) for page in PAGES for text in FENCE.findall(page.read_text())]
    return [
        pytest.param(text, id=f"{page.name}-{i}")
        for i, (page, text) in enumerate(found)
        if text.startswith(f"{start}:") and not (start == "version" and is_day(text.encode()))
    ]


def commands() -> list[object]:
    """Every ``gameday …`` line of the documentation and of the experiments' comments, continued lines joined."""
    found: list[object] = []
    for page in [*PAGES, *EXPERIMENTS, *DAYS]:
        text = re.sub(r"\\\n[# ]*", "", page.read_text())
        found += [pytest.param(line, id=f"{page.name}-{i}") for i, line in enumerate(COMMAND.findall(text))]
    return found


def load(path: Path, /, **variables: str) -> Loaded:
    return load_experiment(path, variables=variables, environ={}, drivers=load_driver)


@pytest.mark.parametrize("text", blocks("version"))
def test_experiments_in_the_documentation_are_valid_and_provable(text: str, tmp_path: Path) -> None:
    path = tmp_path / "block.yaml"
    path.write_text(text)
    (tmp_path / "existing.json").write_bytes((ROOT / "tests" / "chaostoolkit" / "url-responds.json").read_bytes())
    assert load_experiment(path, require_values=False, environ={}, drivers=load_driver).unprovable == ()


@pytest.mark.parametrize(
    "text", [text for page in PAGES for text in FENCE.findall(page.read_text()) if is_day(text.encode())]
)
def test_game_days_in_the_documentation_are_valid(text: str, tmp_path: Path) -> None:
    path = tmp_path / "day.yaml"
    path.write_text(text)
    for name in re.findall(r"(?:experiment|file): ([\w./-]+)", text):
        (tmp_path / name).write_text("there\n")
    assert load_day(path, require_values=False).day.agenda


@pytest.mark.parametrize("text", blocks("faults"))
def test_faults_in_the_documentation_fit_into_an_experiment(text: str, tmp_path: Path) -> None:
    whole = (ROOT / "experiments/your-own-url.yaml").read_text()
    path = tmp_path / "block.yaml"
    path.write_text(re.sub(r"^faults:\n(?:[ #].*\n|\n)*", lambda _: f"{text}\n", whole, flags=re.MULTILINE))
    assert path.read_text() != whole
    load(path)


@pytest.mark.parametrize("path", EXPERIMENTS, ids=shown)
def test_shipped_experiments_are_valid_provable_and_say_what_they_teach(path: Path) -> None:
    loaded = load(path)
    assert loaded.unprovable == ()
    assert loaded.strict_errors() == ()
    assert loaded.warnings == ()
    text = path.read_text()
    assert text.startswith("# ")
    assert f"gameday run {shown(path)}" in text, "the comment on top says how to run it"


@pytest.mark.parametrize("path", EXPERIMENTS, ids=shown)
def test_shipped_experiments_have_room_to_recover(path: Path) -> None:
    experiment = load(path).experiment
    for objective in experiment.objectives.values():
        within, hold = recover_window(objective, experiment)
        assert within >= 5_000, "a busy machine needs a moment"
        assert within + hold <= experiment.phases.recovery


@pytest.mark.parametrize("path", EXPERIMENTS, ids=shown)
def test_shipped_experiments_come_to_a_verdict(path: Path) -> None:
    """Even an objective that uses a quarter of its budget is proven in 95 of 100 runs, all of them together."""
    together = math.prod(chance.chance for chance in chances(load(path).experiment, {}))
    assert together >= WANTED


@pytest.mark.parametrize("path", SHOPS, ids=shown)
def test_experiments_on_the_shop_promise_a_pass_and_a_fail(path: Path) -> None:
    said = re.findall(r"^#   gameday run \S.*?\s{2,}(passes|fails)\b", path.read_text(), re.MULTILINE)
    assert set(said) == {"passes", "fails"}


def test_there_is_an_experiment_for_each_usual_trouble() -> None:
    assert {
        "dependency/payments-outage",
        "dependency/catalog-slow",
        "dependency/retry-storm",
        "process/worker-killed",
        "process/payments-hung",
        "queue/backlog",
        "traffic/spike",
        "traffic/spike-during-outage",
    } <= {str(path.relative_to(ROOT / "experiments").with_suffix("")) for path in SHOPS}


def test_experiments_on_the_shop_share_no_port() -> None:
    prefixes = [prefix for path in SHOPS for prefix in PORTS.findall(path.read_text())]
    assert len(prefixes) == len(set(prefixes)) == len(SHOPS)


@pytest.mark.parametrize("line", commands())
def test_commands_exist(line: str) -> None:
    words = shlex.split(re.split(r"\s{2,}", line)[0])
    context = click.Context(cli)
    if len(words) > 1:
        verb = cli.get_command(context, words[1])
        assert verb is not None, f"there is no verb {words[1]}"
        if isinstance(verb, click.Group) and len(words) > 2:
            verb = verb.get_command(context, words[2])
            assert verb is not None, f"there is no verb {words[1]} {words[2]}"
        options = {name for parameter in verb.params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options
    files = [ROOT / word for word in words[2:] if word.startswith("experiments/")]
    assert all(file.exists() for file in files)
    given = [words[i + 1] for i, word in enumerate(words) if word == "--var"]
    if files and is_day(files[0].read_bytes()):
        load_day(files[0], environ={}, require_values=False)
    elif files:
        load(files[0], **dict(pair.split("=", 1) for pair in given))


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []


def test_exit_codes_in_the_readme_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| (\w+|–) \| .* \| (\d+) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    verdicts = {word: int(code) for word, code in rows if word != "–"}
    assert verdicts == {verdict.word: verdict.exit_code for verdict in Verdict}
    assert [int(code) for word, code in rows if word == "–"] == [EXIT_USAGE, EXIT_NOT_NOW, EXIT_INTERNAL]


def test_targets_of_make_in_the_documentation_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        name for page in PAGES for name in re.findall(r"(?:`|^    )make ([a-z-]+)", page.read_text(), re.MULTILINE)
    }
    assert named
    assert named <= targets
