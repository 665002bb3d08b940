"""A Chaos Toolkit extension for tests: everything it touches is a file."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any


def switch_on(path: str, slowly: float = 0.0, text: str = "") -> str:
    """Make the file."""
    time.sleep(slowly)
    Path(path).write_text(text)
    return path


def switch_off(path: str) -> bool:
    """Remove the file."""
    Path(path).unlink(missing_ok=True)
    return True


def is_on(path: str) -> bool:
    return Path(path).exists()


def number_in(path: str) -> Any:
    """What the file holds, as Python reads a number; a text where it is none, and a hang for the word."""
    text = Path(path).read_text()
    if text == "hang":
        time.sleep(60)
    try:
        return float(text)
    except ValueError:
        return text


def fail(text: str = "as it was told to") -> None:
    raise RuntimeError(text)


def nothing() -> None:
    """Say nothing."""


def given(
    configuration: dict[str, Any] | None = None, secrets: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """What it was given."""
    return {"configuration": configuration, "secrets": secrets, **more}


def is_configured(name: str, configuration: dict[str, Any] | None = None) -> bool:
    return name in (configuration or {})


def keep_secret(path: str, token: str, secrets: dict[str, Any] | None = None) -> None:
    """Write the secret where only the test looks, and fail with it in the error."""
    Path(path).write_text(f"{token} {(secrets or {}).get('token')}")
    raise RuntimeError(f"refused for {token}")


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def append(path: str, line: str) -> str:
    """Add a line to the file, in one write."""
    with Path(path).open("a") as file:
        file.write(f"{line}\n")
    return line


def lines_of(path: str) -> int:
    return len(Path(path).read_text().splitlines()) if Path(path).exists() else 0


def own_pid() -> int:
    return os.getpid()


def as_it_is(value: Any) -> Any:
    return value


def within(value: float = 0.0, least: float = 0.0, most: float = 0.0) -> bool:
    """A tolerance that is a probe."""
    return least <= value <= most


def never_stop() -> None:
    """Go on whatever happens, as a retry loop that catches everything does."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            time.sleep(1)
        except BaseException:  # noqa: BLE001 - that is the point
            continue


def secret_lengths(secrets: dict[str, Any] | None = None) -> dict[str, int]:
    """Show that secrets came, and none of them."""
    return {name: len(value) for name, value in (secrets or {}).items()}


def fail_once(path: str) -> bool:
    """Fail, and succeed when asked again."""
    if Path(path).exists():
        return True
    Path(path).touch()
    raise RuntimeError("not the first time")
