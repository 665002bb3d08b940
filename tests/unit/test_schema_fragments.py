"""``use:``: shared lists of faults, their places, their bounds, and what a run keeps of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from gameday.schema.errors import ExperimentErrors
from gameday.schema.fragments import MAX_DEPTH, MAX_FRAGMENTS
from gameday.schema.loader import Loaded, load_experiment
from tests.fakes.experiment_file import EXAMPLE, fake_drivers, write

ENVIRON = {"API_TOKEN": "t"}
HEAD = EXAMPLE[: EXAMPLE.index("faults:\n")]
DOWN = "version: 1\nfaults:\n  - db-down: {do: proxy.down, with: {proxy: payments}, at: 5s, for: 60s}\n"


def load(folder: Path, faults: str, **options: object) -> Loaded:
    path = write(folder, f"{HEAD}faults:\n{faults}")
    return load_experiment(path, environ=ENVIRON, drivers=fake_drivers, **options)  # type: ignore[arg-type]


def refused(folder: Path, faults: str, **options: object) -> list[tuple[str, int, int, str]]:
    with pytest.raises(ExperimentErrors) as caught:
        load(folder, faults, **options)
    return [(Path(e.path).name, e.line, e.column, e.code) for e in caught.value.errors]


def fragment(folder: Path, text: str, name: str = "fragments/down.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_fragment_is_in_its_place_and_kept_byte_for_byte(tmp_path: Path) -> None:
    fragment(tmp_path, DOWN)
    loaded = load(
        tmp_path,
        "  - use: ./fragments/down.yaml\n  - killed: {do: process.kill, with: {process: payments}, at: 70s, "
        "irreversible: allow, observe: 20s}\n",
    )
    assert [(fault.name, fault.at) for fault in loaded.experiment.faults] == [("db-down", 5_000), ("killed", 70_000)]
    assert loaded.fragments == {"fragments/down.yaml": DOWN.encode()}
    use = HEAD.count("\n") + 2
    assert loaded.lines["faults.db-down"] == use
    assert loaded.lines["faults.killed"] == use + 1


def test_at_puts_all_faults_of_a_fragment_off_and_variables_reach_into_it(tmp_path: Path) -> None:
    outer = "version: 1\nfaults:\n  - {use: inner.yaml, at: 10s}\n  - later: {do: proxy.down, with: {proxy: payments}, for: 9s}\n"
    inner = 'version: 1\nfaults:\n  - first: {do: proxy.down, with: {proxy: payments}, at: "${start}", for: 9s}\n'
    fragment(tmp_path, outer, "fragments/outer.yaml")
    fragment(tmp_path, inner, "fragments/inner.yaml")
    head = HEAD.replace("variables:\n", "variables:\n  start: 1s\n  offset: 2s\n")
    path = write(tmp_path, head + 'faults:\n  - {use: fragments/outer.yaml, at: "${offset}"}\n')
    loaded = load_experiment(path, environ=ENVIRON, variables={"start": "5s"}, drivers=fake_drivers)
    assert [(fault.name, fault.at) for fault in loaded.experiment.faults] == [("first", 17_000), ("later", 2_000)]


def test_the_digest_changes_with_a_fragment_and_only_then(tmp_path: Path) -> None:
    alone = load(tmp_path, "  - a: {do: proxy.down, with: {proxy: payments}, for: 60s}\n")
    assert alone.digest == hashlib.sha256(alone.text).hexdigest()
    fragment(tmp_path, DOWN)
    before = load(tmp_path, "  - use: fragments/down.yaml\n").digest
    assert load(tmp_path, "  - use: fragments/down.yaml\n").digest == before
    fragment(tmp_path, DOWN + "\n")
    assert load(tmp_path, "  - use: fragments/down.yaml\n").digest != before


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (DOWN.replace("proxy.down", "proxy.donw"), (3, 19, "unknown-driver")),
        (DOWN.replace("60s", "60"), (3, 69, "bad-value")),
        (DOWN.replace("at: 5s", "at: 5"), (3, 60, "bad-value")),
        (DOWN.replace("{proxy: payments}", "{proxy: cards}"), (3, 45, "unknown-proxy")),
        (DOWN.replace("{proxy: payments}", "{proxy: '${no}'}"), (3, 45, "undefined-variable")),
        (DOWN + "  - db-down: {do: proxy.down, with: {proxy: payments}, for: 60s}\n", (4, 5, "duplicate-name")),
        (DOWN.replace("version: 1\n", ""), (1, 1, "bad-value")),
        (DOWN.replace("version: 1", "version: 2"), (1, 10, "bad-value")),
        (DOWN + "fault: 1\n", (4, 1, "unknown-key")),
        ("version: 1\n", (1, 1, "missing-key")),
        ("- a\n", (1, 1, "wrong-type")),
        ("version: 1\nfaults: {a: b}\n", (2, 9, "wrong-type")),
        ("version: 1\nfaults:\n\t- a\n", (3, 1, "yaml-syntax")),
        ("version: 1\nversion: 1\n" + DOWN[11:], (2, 1, "duplicate-key")),
        ("version: 1\nfaults: " + "[" * 100, (2, 72, "too-large")),
        ("version: 1\nfaults:\n  - use: down.yaml\n", (3, 10, "fragment")),
        ("version: 1\nfaults:\n  - use: ../../x.yaml\n", (3, 10, "fragment")),
    ],
)
def test_a_mistake_in_a_fragment_is_shown_there(tmp_path: Path, text: str, place: tuple[int, int, str]) -> None:
    fragment(tmp_path, text)
    assert refused(tmp_path, "  - use: fragments/down.yaml\n") == [("down.yaml", *place)]


def test_the_line_of_the_fragment_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fragment(tmp_path, DOWN.replace("for: 60s", "fro: 60s"))
    with pytest.raises(ExperimentErrors) as caught:
        load_experiment(write(Path(), f"{HEAD}faults:\n  - use: fragments/down.yaml\n"), environ=ENVIRON)
    assert str(caught.value) == (
        "fragments/down.yaml:3:64: error[unknown-key] unknown key 'fro'\n"
        "  |\n"
        "3 |   - db-down: {do: proxy.down, with: {proxy: payments}, at: 5s, fro: 60s}\n"
        "  |                                                                ^^^\n"
        "  = help: did you mean 'for'?"
    )


def test_nothing_outside_the_folder_is_read_not_even_through_a_link(tmp_path: Path) -> None:
    outside = fragment(tmp_path, DOWN, "secret/down.yaml")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.yaml").symlink_to(outside)
    for name in ("../secret/down.yaml", "link.yaml", str(outside)):
        assert [code for *_, code in refused(inside, f"  - use: {name}\n")] == ["fragment"]


def test_the_library_may_be_read(tmp_path: Path) -> None:
    fragment(tmp_path, DOWN, "library/fragments/down.yaml")
    (tmp_path / "library/dependency").mkdir()
    loaded = load(tmp_path / "library/dependency", "  - use: ../fragments/down.yaml\n", library=tmp_path / "library")
    assert list(loaded.fragments) == ["library/fragments/down.yaml"]


def test_depth_and_number_are_bounded(tmp_path: Path) -> None:
    for depth in range(MAX_DEPTH + 1):
        fragment(tmp_path, f"version: 1\nfaults:\n  - use: f{depth + 1}.yaml\n", f"f{depth}.yaml")
    assert refused(tmp_path, "  - use: f0.yaml\n") == [(f"f{MAX_DEPTH - 1}.yaml", 3, 10, "too-large")]
    fragment(tmp_path, "version: 1\nfaults: []\n", "none.yaml")
    many = refused(tmp_path, "  - use: none.yaml\n" * (MAX_FRAGMENTS + 3))
    assert [code for *_, code in many].count("too-large") == 3


def test_all_fragments_together_are_bounded(tmp_path: Path) -> None:
    fragment(tmp_path, DOWN + "#" * 600_000)
    assert [code for *_, code in refused(tmp_path, "  - use: fragments/down.yaml\n" * 2)][-1] == "too-large"
