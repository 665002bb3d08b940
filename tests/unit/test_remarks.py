"""findings.yaml: what is right is kept, what is wrong is told at its place, and nothing ever breaks because of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from gameday.cli.files import experiment_files
from gameday.cli.report import report
from gameday.cli.schema import schema
from gameday.cli.validate import validate
from gameday.journal.folder import read_run
from gameday.schema.remarks import KEYS, read_remarks, read_remarks_file, remarks_schema
from tests.fakes.folders import write_run
from tests.fakes.stories import Story
from tests.unit.test_docs import FENCE, ROOT

ONE = "3fa9c1d27e5b0a44"
WRONG = [
    ("abc: {owner: a}", "bad-value", 1, "'abc' is not the fingerprint of a finding"),
    (f"{ONE}: later", "wrong-type", 1, "must be a mapping"),
    (f"{ONE}:\n  ownr: team-a", "unknown-key", 2, "unknown key 'ownr'"),
    (f"{ONE}:\n  due: tomorrow", "bad-value", 2, "'due' must be a date, not 'tomorrow'"),
    (f"{ONE}:\n  due: 2026-13-01", "bad-value", 2, "'due' must be a date"),
    (f"{ONE}:\n  due: 20261201", "bad-value", 2, "'due' must be a date"),
    (f"{ONE}:\n  kind: repair", "bad-value", 2, "'kind' must be one of prevent"),
    (f"{ONE}:\n  owner:", "wrong-type", 2, "'owner' must be text"),
    (f"{ONE}:\n  owner: [a, b]", "wrong-type", 2, "'owner' must be text"),
    (f"{ONE}:\n  owner: {'x' * 121}", "bad-value", 2, "is longer than 120 characters"),
    (f"{ONE}: {{owner: a}}\n{ONE}: {{owner: b}}", "duplicate-key", 2, "duplicate key"),
    ("- a\n- b", "wrong-type", 1, "a findings file is a mapping"),
    ("a: [", "yaml-syntax", 1, ""),
]


def test_what_people_add_is_read_as_text() -> None:
    text = f"{ONE}:\n  owner: team-a\n  due: 2026-12-08\n  ticket: 1482\n"
    text += "1234567890123456: {note: yes}\n1e45678901234567: {cause: 'a: b'}"
    remarks = read_remarks("findings.yaml", text.encode())
    assert remarks.errors == ()
    assert remarks.entries == {
        ONE: {"owner": "team-a", "due": "2026-12-08", "ticket": "1482"},
        "1234567890123456": {"note": "yes"},
        "1e45678901234567": {"cause": "a: b"},
    }


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}", "null"])
def test_an_empty_file_has_no_entries(text: str) -> None:
    assert read_remarks("findings.yaml", text.encode()) == read_remarks_file(Path("/nowhere/findings.yaml"))


@pytest.mark.parametrize(("text", "code", "line", "message"), WRONG)
def test_what_is_wrong_is_told_at_its_place(text: str, code: str, line: int, message: str) -> None:
    (error,) = read_remarks("f/findings.yaml", text.encode()).errors
    assert (error.code, error.path) == (code, "f/findings.yaml")
    assert error.line == line or code == "yaml-syntax"
    assert message in error.message


def test_the_right_half_of_a_wrong_file_is_kept() -> None:
    text = f"abc: {{owner: a}}\n{ONE}: {{owner: team-a, due: soon}}"
    remarks = read_remarks("findings.yaml", text.encode())
    assert remarks.entries == {ONE: {"owner": "team-a"}}
    assert len(remarks.errors) == 2


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))))
def test_no_bytes_break_it(data: bytes) -> None:
    remarks = read_remarks("findings.yaml", data)
    assert all(re.fullmatch("[0-9a-f]{16}", key) and entry for key, entry in remarks.entries.items())


def test_a_flood_of_mistakes_ends() -> None:
    remarks = read_remarks("findings.yaml", b"".join(b"k%d: 1\n" % i for i in range(5_000)))
    assert 0 < len(remarks.errors) <= 200


def test_the_json_schema_agrees() -> None:
    validator: Any = jsonschema.Draft202012Validator(remarks_schema())
    validator.check_schema(remarks_schema())
    entry = dict.fromkeys(KEYS, "x") | {"due": "2026-12-08", "kind": "detect"}
    assert not list(validator.iter_errors({ONE: entry}))
    assert read_remarks("f", json.dumps({ONE: entry}).encode()).entries == {ONE: entry}
    wrongs: list[dict[str, Any]] = [
        {"abc": entry},
        {ONE: {}},
        {ONE: {"ownr": "a"}},
        {ONE: {"due": "soon"}},
        {ONE: {"kind": "repair"}},
    ]
    for wrong in wrongs:
        assert list(validator.iter_errors(wrong))
    assert json.loads(CliRunner().invoke(schema, ["findings"]).output) == remarks_schema()


def test_the_documentation_is_valid() -> None:
    page = (ROOT / "docs" / "findings.md").read_text()
    found = [text for text in FENCE.findall(page) if re.match("[0-9a-f]{16}:", text)]
    assert found
    for text in found:
        assert read_remarks("findings.yaml", text.encode()).errors == ()
    assert set(re.findall(r"^\| `(\w+)` \|", page.partition("## findings.yaml")[2], re.MULTILINE)) == set(KEYS)


def test_validate_checks_it_with_the_experiments_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        (ROOT / "docs" / "experiment-file.md").read_text().split("```yaml\n")[1].split("```")[0]
    )
    file = tmp_path / "findings.yaml"
    file.write_text(f"{ONE}: {{owner: team-a}}")
    assert experiment_files([tmp_path]) == [tmp_path / "a.yaml"]
    good = CliRunner().invoke(validate, [str(tmp_path)])
    assert good.exit_code == 0, good.output
    assert f"{file}: valid" in good.output
    file.write_text(f"{ONE}: {{ownr: team-a}}")
    for named in (tmp_path, file):
        bad = CliRunner().invoke(validate, [str(named)])
        assert bad.exit_code == 2
        assert f"{file}:1:20: error[unknown-key] unknown key 'ownr'" in bad.output
        assert "did you mean 'owner'?" in bad.output


def test_a_wrong_file_in_a_run_folder_is_told_and_breaks_nothing(tmp_path: Path) -> None:
    path = write_run(tmp_path / "r", replace(Story().run(), name="r"))
    verdict = (path / "verdict.json").read_bytes()
    (path / "findings.yaml").write_text(f"{ONE}: {{owner: team-a, due: soon}}")
    run = read_run(path)
    assert run.remarks == {ONE: {"owner": "team-a"}}
    assert run.remarks_wrong[0].startswith("findings.yaml:1:")
    done = CliRunner().invoke(report, [str(path)])
    assert done.exit_code == 0, done.output
    assert "'due' must be a date" in done.output
    assert "left out of the report" in done.output
    assert (path / "verdict.json").read_bytes() == verdict


def hostile() -> Any:
    return read_remarks("f", f'{ONE}: {{owner: "\\e[31m", ownr\\e: 1}}'.encode())


def test_control_characters_of_a_wrong_file_are_inert_in_what_is_told() -> None:
    told = "\n".join(error.render() for error in hostile().errors)
    assert "\x1b" not in told
