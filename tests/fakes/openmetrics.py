"""OpenMetrics text, read by the parser of Prometheus' own client, which refuses what the specification forbids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

from prometheus_client import Metric
from prometheus_client.openmetrics import parser

_PARSE = cast(
    "Callable[[str], Iterator[Metric]]",
    parser.text_string_to_metric_families,  # pyright: ignore[reportUnknownMemberType] - it has no annotations
)


def families(data: bytes) -> list[Metric]:
    """Every family of a document; raise ValueError for what is not OpenMetrics."""
    return list(_PARSE(data.decode()))
