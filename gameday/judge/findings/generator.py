"""Rule: the load generator did not measure reliably."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.judge.findings.rule import Draft
from gameday.model import Json


def find(document: Json) -> Iterator[Draft]:
    """Yield one finding for an unhealthy generator, with all that was wrong."""
    load = document["load"]
    problems = load["problems"] if load is not None else ()
    if problems:
        yield Draft(
            rule="generator",
            severity="low",
            title="The load generator did not measure reliably",
            saw="; ".join(problems) + ".",
            matters="What a starved or lost generator measures is about itself, so no objective is proven by it.",
            next="Lower the rate, or give the generator a machine with more to spare.",
        )
