"""The page of probes: its examples are valid, each probe that ships has one, and the overview has them all."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gameday.installed import entry_points
from gameday.registry import load_driver, load_probe, probe_parameters
from gameday.schema.gauges import KINDS, kind_of
from gameday.schema.loader import load_experiment
from gameday.schema.nodes import plain
from gameday.schema.yamlfile import parse
from tests.fakes.experiment_file import EXAMPLE

PAGE = (Path(__file__).resolve().parents[2] / "docs/probes.md").read_text(encoding="utf-8")
SECTIONS: dict[str, str] = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
SHIPPED = sorted(
    found.name for found in entry_points(group="gameday.probes") if found.value.startswith("gameday_drivers.")
)
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_probe_that_ships_is_in_the_overview_and_has_a_section() -> None:
    overview = re.findall(r"^\| \[`(\w+)`\]\((\S*?)\)", PAGE, re.MULTILINE)
    assert sorted(name for name, _ in overview) == SHIPPED
    assert sorted(name for name, link in overview if link == f"#{name}") == sorted(SECTIONS)
    assert all(link in (f"#{name}", "chaostoolkit.md", "experiment-file.md#slisname") for name, link in overview)
    assert sorted(KINDS) == SHIPPED, "the kinds that files are told of"


@pytest.mark.parametrize("name", SECTIONS)
def test_the_example_of_a_probe_is_valid(name: str, tmp_path: Path) -> None:
    (block,) = BLOCK.findall(SECTIONS[name])
    base, shown = (plain(parse("page", text.encode()).root) for text in (EXAMPLE, block))
    whole = {**base, **shown, "variables": {**base["variables"], **shown.get("variables", {})}}
    secrets = [key for key, spec in whole["variables"].items() if spec.get("secret")]
    path = tmp_path / "experiment.yaml"
    path.write_text(json.dumps(whole))
    environ = {whole["variables"][key]["env"]: "postgresql://h/x" for key in secrets}
    loaded = load_experiment(path, environ=environ, drivers=load_driver, probes=load_probe)
    assert {sli.kind for sli in loaded.experiment.slis.values()} == {name}
    assert all(kind_of(entry) == name for entry in shown["slis"].values())


@pytest.mark.parametrize("kind", SHIPPED)
def test_every_parameter_of_a_probe_is_explained(kind: str) -> None:
    assert all(parameter.help for parameter in probe_parameters(kind))
