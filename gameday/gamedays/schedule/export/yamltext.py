"""Plain data as YAML, with lines of comment before it."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO
from typing import Any

from ruamel.yaml import YAML


def to_yaml(data: dict[str, Any], comment: Iterable[str]) -> str:
    """Return a document in the order of the data, quoted wherever YAML would read something else."""
    text = StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 4096
    yaml.dump(data, text)  # pyright: ignore[reportUnknownMemberType]
    return "".join(f"# {' '.join(line.split())}\n" for line in comment) + text.getvalue()
