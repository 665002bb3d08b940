"""What has passed one proxy, counted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from gameday.proxy.toxics import STREAMS

_QUIET_SECONDS = 10.0


@dataclass(slots=True)
class Traffic:
    """Counts since the proxy was made; bytes are those of connections that have ended."""

    accepted: int = 0
    turned_away: int = 0
    """Reset because somebody held it down, at the least: the kernel refuses most of them uncounted."""
    unreachable: int = 0
    """Clients reset because the dependency could not be reached."""
    bad_handshakes: int = 0
    """Clients that did not accept our certificate, or do not speak TLS."""
    passed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STREAMS, 0))
    _told: float | None = None

    def unreachable_now(self) -> bool:
        """Whether it is time to say so again."""
        now = asyncio.get_running_loop().time()
        if self._told is not None and now - self._told < _QUIET_SECONDS:
            return False
        self._told = now
        return True
