"""The verdict of a told run, held to what every verdict must satisfy."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator

from gameday.judge import judge, to_bytes, verdict_schema
from gameday.model import Run, Verdict
from tests.fakes.stories import Story

SCHEMA: Any = Draft202012Validator(verdict_schema())


def judged(story: Story | Run) -> dict[str, Any]:
    """Judge, and hold the document to its schema and to what every verdict must satisfy."""
    document = judge(story.run() if isinstance(story, Story) else story)
    stored: dict[str, Any] = json.loads(to_bytes(document))
    assert SCHEMA.is_valid(stored), next(iter(SCHEMA.iter_errors(stored)))
    assert document["exit_code"] == Verdict.from_word(document["verdict"]).exit_code
    assert document["summary"]
    assert bool(document["residue"]) <= (document["verdict"] == "dirty")
    return stored


def outcome(story: Story | Run) -> tuple[str, list[str]]:
    """Return the verdict and its reasons."""
    document = judged(story)
    return document["verdict"], document["reasons"]
