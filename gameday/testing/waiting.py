"""Waiting for what must happen, and watching for what must not, within a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable

PROOF_SECONDS = 5.0
"""How long a fault may take to show, or to go, on a busy machine."""
SETTLE_SECONDS = 0.3
"""A signal or a rule takes a moment to land: only what is still gone after this is gone."""


def eventually(check: Callable[[], bool], seconds: float = PROOF_SECONDS) -> bool:
    """Wait until ``check`` holds, at most ``seconds``; return whether it does."""
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() >= end:
            return False
        time.sleep(0.01)
    return True


def stays(check: Callable[[], bool], seconds: float = SETTLE_SECONDS) -> bool:
    """Return whether ``check`` holds all through a window of ``seconds``."""
    end = time.monotonic() + seconds
    while check():
        if time.monotonic() >= end:
            return True
        time.sleep(0.01)
    return False
