"""Faults that end by themselves unless somebody renews them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

Key = tuple[str, str]


class Leases:
    """Calls ``lapse`` with the key of each lease that was not granted anew in time."""

    def __init__(self, lapse: Callable[[Key], None]) -> None:
        self._lapse = lapse
        self._timers: dict[Key, asyncio.TimerHandle] = {}

    def grant(self, key: Key, lease_ms: int | None) -> None:
        """Let something last so long from now; None leaves it as it is."""
        if lease_ms is None:
            return
        self.end(key)
        self._timers[key] = asyncio.get_running_loop().call_later(lease_ms / 1000, self._over, key)

    def left_ms(self, key: Key) -> int | None:
        """Return how long it lasts; None without a lease."""
        timer = self._timers.get(key)
        return None if timer is None else max(0, round((timer.when() - asyncio.get_running_loop().time()) * 1000))

    def end(self, key: Key) -> None:
        """Forget a lease."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    def end_all(self) -> None:
        """Forget all of them."""
        for key in list(self._timers):
            self.end(key)

    def _over(self, key: Key) -> None:
        del self._timers[key]
        self._lapse(key)
