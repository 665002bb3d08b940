"""The reference of the experiment file: its YAML is valid, and it has exactly the keys that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gameday.registry import load_driver, load_probe
from gameday.schema.compose import MAX_ALIASES, MAX_DEPTH, MAX_NODES, MAX_WRITTEN
from gameday.schema.document import MAX_ERRORS
from gameday.schema.fragments import MAX_DEPTH as MAX_FRAGMENT_DEPTH
from gameday.schema.fragments import MAX_FRAGMENTS
from gameday.schema.jsonschema import json_schema
from gameday.schema.loader import load_experiments
from gameday.schema.matrix import MAX_COMBINATIONS
from gameday.schema.nodes import plain
from gameday.schema.shape import NOT_YET
from gameday.schema.variables import MAX_ADDED
from gameday.schema.yamlfile import MAX_LINES, parse

PAGE = (Path(__file__).resolve().parents[2] / "docs/experiment-file.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FRAGMENT = re.compile(r"# ((?:fragments|slo|ci)/\S+)\n")
SECTIONS = {
    "Top level": "",
    "system.NAME": "SystemProcess",
    "ready": "Ready",
    "proxies.NAME": "Proxy",
    "proxies.NAME.tls": "ProxyTls",
    "sources.NAME": "SourceSpec",
    "slis.NAME": "Sli",
    "load": "LoadProfile",
    "load.requests[]": "Request",
    "load.stages[]": "Stage",
    "load.workers": "Workers",
    "objectives.NAME": "Objective",
    "where": "Where",
    "recover": "Recover",
    "notify[]": "Channel",
    "phases": "Phases",
    "faults[].NAME": "FaultSpec",
}


def tables() -> dict[str, dict[str, str]]:
    """Heading → key → default, of each table whose first column is ``key``."""
    found: dict[str, dict[str, str]] = {}
    for section in re.split(r"^##+ ", PAGE, flags=re.MULTILINE)[1:]:
        heading = section.partition("\n")[0]
        table = re.search(r"^\| key \|(.*)\n\|[-|]+\n((?:\|.*\n)+)", section, re.MULTILINE)
        if table is not None:
            rows = re.findall(r"^\| `(\w+)` \| *([^|]*)", table[2], re.MULTILINE)
            found[heading] = {key: text.strip() if "default" in table[1] else "" for key, text in rows}
    return found


def part(schema: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = schema["$defs"][name] if name else schema
    return found


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = part(json_schema(), name)["properties"]
    return found


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_page_has_exactly_the_keys_of_the_schema(heading: str) -> None:
    assert sorted(tables()[heading]) == sorted(properties(SECTIONS[heading]))


def test_the_page_has_every_section() -> None:
    assert set(SECTIONS.values()) == {"", *json_schema()["$defs"]}
    assert set(tables()) == {*SECTIONS, "use"}


@pytest.mark.parametrize("heading", [heading for heading in SECTIONS if heading != "Top level"])
def test_defaults_and_what_is_required_are_as_the_schema_says(heading: str) -> None:
    schema = part(json_schema(), SECTIONS[heading])
    told = tables()[heading]
    assert [key for key, text in told.items() if text == "required"] == [
        key for key in told if key in schema.get("required", ()) and "required" in told.values()
    ]
    for key, text in told.items():
        default = schema["properties"][key].get("default")
        if isinstance(default, (str, int)) and any(told.values()):
            shown = json.dumps(default).strip('"')
            assert text == f"`{'60s' if shown == '1m' else shown}`", key


def write_fragments(folder: Path) -> None:
    (folder / "load").mkdir()
    (folder / "load/shop.py").write_text("")
    for block in BLOCKS:
        if (name := FRAGMENT.match(block)) is not None:
            path = folder / name[1]
            path.parent.mkdir(exist_ok=True)
            path.write_text(block)


@pytest.mark.parametrize("index", [i for i, block in enumerate(BLOCKS) if not FRAGMENT.match(block)])
def test_what_the_page_shows_is_valid_in_the_pages_own_experiment(tmp_path: Path, index: int) -> None:
    write_fragments(tmp_path)
    first, block = (plain(parse("page", text.encode()).root) for text in (BLOCKS[0], BLOCKS[index]))
    block["variables"] = {**first["variables"], **block.get("variables", {})}
    if "objectives" not in block and "matrix" not in block and index:
        block["objectives"] = {"fast": {"expect": "p95 < 300ms", "during": "p95 < 1s"}}
    if "matrix" in block:
        block["objectives"] = {"fast": {"expect": "p90 < 300ms"}}
    path = tmp_path / "experiment.yaml"
    path.write_text(json.dumps({**first, **block}))
    found = load_experiments(path, environ={"API_TOKEN": "t"}, drivers=load_driver, probes=load_probe)
    assert [one.warnings for one in found] == [()] * (4 if "matrix" in block else 1)


def test_the_limits_are_those_of_the_code() -> None:
    for limit in (MAX_LINES, MAX_WRITTEN, MAX_NODES, MAX_ALIASES, MAX_DEPTH, MAX_ADDED, MAX_ERRORS, MAX_COMBINATIONS):
        assert f" {limit:,} " in PAGE or f" {limit:,}," in PAGE or f" {limit:,}\n" in PAGE or f"of {limit};" in PAGE, (
            limit
        )
    assert f"at most {MAX_FRAGMENT_DEPTH} deep and {MAX_FRAGMENTS} in all" in PAGE


def test_what_is_reserved_is_what_is_refused() -> None:
    reserved = [line for line in PAGE.splitlines() if " reserved: " in line]
    told = {name for line in reserved for name in re.findall(r"`(\w+)`", line)}
    assert told == {key for key in NOT_YET[()] if key != "use"}
