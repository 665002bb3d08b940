"""A Chaos Toolkit control for tests: it interrupts before an activity that is called never, and counts what it sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chaoslib.exceptions import InterruptExecution  # pyright: ignore[reportMissingTypeStubs] - it has none


def before_activity_control(context: dict[str, Any], **_: Any) -> None:
    if context["name"] == "never":
        raise InterruptExecution("never means never")


def after_activity_control(context: dict[str, Any], state: Any, arguments: Any = None, **given: Any) -> None:
    seen = given.get("seen")
    if seen:
        with Path(seen).open("a") as file:
            file.write(f"{context['name']} {state['status']}\n")
