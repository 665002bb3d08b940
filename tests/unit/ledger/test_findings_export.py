"""gameday findings export: each form, of what people may have written."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from markdown_it import MarkdownIt

from gameday.registry import findings_form
from gameday.schema.remarks import read_remarks
from tests.fakes.ledger import NOW, TITLE, judged
from tests.fakes.ledger_verbs import ok


def test_markdown_has_a_table_and_each_open_finding(fingerprint: str) -> None:
    ok("findings", "assign", fingerprint, "<script>@team|x")
    text = ok("findings", "export")
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert "<script>" not in html
    assert "<h2>" in html
    assert html.count("<tr>") == 2
    assert "@team" not in text


def test_csv_has_a_row_each_and_no_formula(fingerprint: str) -> None:
    ok("findings", "note", fingerprint, "=1+1")
    (row,) = csv.DictReader(io.StringIO(ok("findings", "export", "--format", "csv")))
    assert row["fingerprint"] == fingerprint
    assert row["note"] == "'=1+1"
    assert row["runs"] == "2"


def test_github_takes_open_findings_without_a_ticket(runs: Path, fingerprint: str) -> None:
    (issue,) = json.loads(ok("findings", "export", "--format", "github"))
    assert set(issue) == {"title", "body", "labels"}
    assert issue["title"].startswith(TITLE)
    assert len(issue["title"]) <= 256
    assert f"<!-- gameday-finding: {fingerprint} -->" in issue["body"]
    assert issue["labels"] == ["gameday", "severity: high"]
    ok("findings", "ticket", fingerprint, "T-1")
    assert json.loads(ok("findings", "export", "--format", "github")) == []
    ok("findings", "ticket", fingerprint, "--clear")
    judged(runs, "3-pass", "pass", at=NOW)
    ok("findings", "import", str(runs))
    assert json.loads(ok("findings", "export", "--format", "github", "--all")) == []
    assert len(json.loads(ok("findings", "export", "--format", "json", "--all"))["findings"]) == 1
    assert json.loads(ok("findings", "export", "--format", "json"))["findings"] == []


def test_yaml_is_a_findings_file_of_what_people_said(fingerprint: str, tmp_path: Path) -> None:
    ok("findings", "assign", fingerprint, 'team "x": #1')
    ok("findings", "due", fingerprint, "2999-01-01")
    ok("findings", "kind", fingerprint, "prevent")
    text = ok("findings", "export", "--format", "yaml")
    found = read_remarks("findings.yaml", text.encode())
    assert found.errors == ()
    assert found.entries == {fingerprint: {"owner": 'team "x": #1', "due": "2999-01-01", "kind": "prevent"}}


def test_an_issue_is_never_too_long_and_keeps_its_mark() -> None:
    finding = {"fingerprint": "f" * 16, "state": "open", "title": "t" * 9_000}
    finding |= dict.fromkeys(("saw", "next", "action", "cause", "note", "owner", "ticket", "kind"), "<" * 2_000)
    finding["ticket"] = ""
    (issue,) = json.loads(findings_form("github").render({"findings": [finding, {}]} | {"at": 3}))[:1]
    assert len(issue["title"]) <= 256
    assert len(issue["body"]) <= 65_536
    assert issue["body"].endswith("<!-- gameday-finding: " + "f" * 16 + " -->")
