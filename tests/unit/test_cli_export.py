"""export: the file's own requests as a locustfile that compiles, on stdout or in a file that was not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gameday.cli.export import export
from gameday.spi.errors import GamedayError
from tests.fakes.cli_files import VALID, write


def call(*words: object) -> Result:
    return CliRunner().invoke(export, [str(word) for word in words])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "mine.yaml")


def test_stdout_is_the_locustfile_and_nothing_else(file: Path) -> None:
    done = call(file, "--locust")
    assert done.exit_code == 0
    assert done.stderr == ""
    compile(done.stdout, "locustfile.py", "exec")
    assert "http://127.0.0.1:9" in done.stdout


def test_a_file_is_never_overwritten(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "locustfile.py"
    assert call(file, "--locust", "--to", target).exit_code == 0
    before = target.read_text()
    compile(before, "locustfile.py", "exec")
    again = call(file, "--locust", "--to", target)
    assert isinstance(again.exception, GamedayError)
    assert target.read_text() == before
    assert isinstance(call(file, "--locust", "--to", tmp_path / "no" / "where.py").exception, GamedayError)


def test_secrets_stay_references(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "hunter2-very-secret")
    load = {**VALID["load"], "headers": {"Authorization": "Bearer ${token}"}}
    variables = {"token": {"env": "SHOP_TOKEN", "secret": True}}
    done = call(write(tmp_path / "secret.yaml", load=load, variables=variables), "--locust")
    assert done.exit_code == 0
    assert "hunter2" not in done.output


def test_what_cannot_be_exported_says_so(tmp_path: Path, file: Path) -> None:
    assert call(file).exit_code == 2, "the form must be named"
    load = {"target": "http://127.0.0.1:9", "rate": "1/s", "locustfile": "shop.py"}
    (tmp_path / "shop.py").write_text("from locust import HttpUser\n")
    goals = {"available": {"expect": "errors < 50%", "recover": {"within": "10s", "hold": "5s"}}}
    done = call(write(tmp_path / "theirs.yaml", load=load, objectives=goals), "--locust")
    assert isinstance(done.exception, GamedayError), done.output
    matrix = {"matrix": {"rate": ["50/s", "200/s"]}, "load": {**VALID["load"], "rate": "${rate}"}}
    done = call(write(tmp_path / "matrix.yaml", **matrix), "--locust")
    assert done.exit_code == 2
    assert "--var rate=50/s" in done.stderr
    one = call(tmp_path / "matrix.yaml", "--locust", "--var", "rate=50/s")
    assert one.exit_code == 0, one.output
    gauges = {"slis": {"q": {"command": ["true"]}}, "objectives": {"q": {"expect": "max(q) < 5"}}, "load": None}
    done = call(write(tmp_path / "own.yaml", **gauges), "--locust")
    assert done.exception is not None
