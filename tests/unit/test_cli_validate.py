"""``gameday validate`` and ``schema`` as a person or a pipeline uses them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gameday.cli.schema import schema
from gameday.cli.validate import validate
from tests.fakes.experiment_file import EXAMPLE, changed, write

VALID = changed(
    ("do: proxy.down, with: {proxy: payments}", "do: process.pause, with: {process: payments}"),
    ("do: process.kill", "do: process.kill"),
)


def run(*arguments: str | Path, stdin: str | None = None, environ: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(validate, [str(argument) for argument in arguments], input=stdin, env=environ)


def test_a_valid_file_is_one_line(tmp_path: Path) -> None:
    result = run(write(tmp_path, VALID, "a.yaml"))
    assert result.exit_code == 0
    assert result.stdout == f"{tmp_path}/a.yaml: valid (a run needs the secrets api_token)\n"
    assert result.stderr == ""


def test_errors_go_to_stderr_and_every_file_is_checked(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / ".hidden").mkdir()
    write(tmp_path, VALID, "a.yaml")
    write(tmp_path / "sub", changed(("abort:", "abrot:")), "b.yml")
    write(tmp_path, "version: 2", "c.yaml")
    write(tmp_path / ".hidden", "nonsense", "d.yaml")
    (tmp_path / "notes.txt").write_text("not one")
    result = run(tmp_path)
    assert result.exit_code == 2
    assert [line.partition(":")[0] for line in result.stdout.splitlines()] == [f"{tmp_path}/a.yaml"]
    assert "b.yml:43:1: error[unknown-key]" in result.stderr
    assert "c.yaml:1:10: error[bad-value]" in result.stderr
    assert "no objective" in result.stderr


def test_a_folder_without_experiments_is_no_success(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "no experiment file" in result.stderr


def test_a_path_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    assert run(tmp_path / "nothing.yaml").exit_code == 2


def test_json_is_one_document(tmp_path: Path) -> None:
    good = write(tmp_path, VALID, "good.yaml")
    bad = write(tmp_path, changed(("rate: 100/s", "rate: 100")), "bad.yaml")
    result = run("--format", "json", bad, good)
    assert result.exit_code == 2
    assert result.stderr == ""
    document = json.loads(result.stdout)
    first, second = document["files"]
    assert (document["valid"], first["valid"], second["valid"]) == (False, False, True)
    assert first["errors"][0] == {
        "path": str(bad),
        "line": 23,
        "column": 9,
        "width": 3,
        "level": "error",
        "code": "bad-value",
        "message": "not a rate: 100",
        "hint": "write arrivals per time, like 100/s or 30/min",
    }
    assert second["needs"] == ["api_token"]


def test_a_warning_is_no_error(tmp_path: Path) -> None:
    result = run(write(tmp_path, VALID.replace("during: errors < 5%", "during: errors < 0.01%")))
    assert result.exit_code == 0
    assert "warning[too-few]" in result.stderr
    assert ": valid" in result.stdout


def test_strict_asks_for_hypothesis_and_owner(tmp_path: Path) -> None:
    path = write(tmp_path, VALID.replace("owner: team-checkout\n", ""))
    assert run(path).exit_code == 0
    result = run("--strict", path)
    assert result.exit_code == 2
    assert "error[missing-key] missing key 'owner'" in result.stderr
    assert "valid" not in result.stdout


def test_variables_from_the_command_line(tmp_path: Path) -> None:
    path = write(tmp_path, VALID)
    assert run(path, "--var", "base_url=http://x").exit_code == 0
    result = run(path, "--var", "base_url=nonsense")
    assert result.exit_code == 2
    assert "not a URL: 'nonsense'" in result.stderr
    result = run(path, "--var", "base_ulr=http://x")
    assert result.exit_code == 2
    assert "did you mean 'base_url'?" in result.stderr
    result = run(path, "--var", "base_url")
    assert result.exit_code == 2
    assert "'base_url' is not NAME=VALUE" in result.stderr


@pytest.mark.parametrize(
    "text",
    [
        "# secrets\napi_token=hunter2\n\nbase_url='http://x'\n",
        "api_token: hunter2\nbase_url: http://x\n",
        '{"api_token": "hunter2", "base_url": "http://x"}',
    ],
)
def test_variables_from_a_file_or_stdin(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, VALID)
    values = write(tmp_path, text, "values")
    for result in (run(path, "--var-file", values), run(path, "--var-file", "-", stdin=text)):
        assert result.exit_code == 0
        assert result.stdout == f"{path}: valid\n"


@pytest.mark.parametrize(
    "text", ["api_token: [hunter2]", "api_token: {a: hunter2}", "- hunter2", "api_token: 'hunter2", "hunter2"]
)
def test_a_wrong_variable_file_is_refused_and_never_shown(tmp_path: Path, text: str) -> None:
    result = run(write(tmp_path, VALID), "--var-file", write(tmp_path, text, "values"))
    assert result.exit_code == 2
    assert "hunter2" not in result.output + result.stderr


def test_a_secret_is_never_shown_whatever_is_wrong(tmp_path: Path) -> None:
    for change in (
        ("rate: 100/s", 'rate: "${api_token}"'),
        ('--port, "9002"', '"${api_token}"'),
        ("for: 60s", 'for: "${api_token}"'),
    ):
        result = run(write(tmp_path, changed(change)), environ={"API_TOKEN": "hunter2"})
        assert result.exit_code == 2
        assert "hunter2" not in result.output + result.stderr


def test_schemas() -> None:
    for arguments, title in (([], "gameday experiment"), (["experiment"], "gameday experiment"), (["verdict"], None)):
        result = CliRunner().invoke(schema, arguments)
        assert result.exit_code == 0
        document = json.loads(result.stdout)
        assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert title in (None, document["title"])
    assert CliRunner().invoke(schema, ["nothing"]).exit_code == 2


def test_validate_imports_nothing_heavy_and_contacts_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, VALID)
    code = (
        "import sys, socket\n"
        "socket.socket.connect = socket.getaddrinfo = None\n"
        "from gameday.cli.validate import validate\n"
        f"validate([{str(path)!r}], standalone_mode=False)\n"
        "print([m for m in ('locust', 'gevent', 'jinja2', 'rich', 'anyio', 'chaoslib', 'kubernetes') if m in sys.modules])\n"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environ, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_example_of_the_design_is_valid_with_the_installed_drivers(tmp_path: Path) -> None:
    result = run("--strict", write(tmp_path, EXAMPLE))
    assert (result.exit_code, result.stderr) == (0, "")
