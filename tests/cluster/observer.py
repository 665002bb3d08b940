"""An observer of our own making: asks an address at a steady rate, each time anew, and remembers when that failed."""

from __future__ import annotations

import http.client
import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

EVERY_SECONDS = 0.05
TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One request."""

    at: float
    """Wall-clock time at which it was begun."""
    good: bool


class Observer:
    """Looks while its block lasts."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc
        self._ended = threading.Event()
        self._looks: list[Look] = []
        self._pool = ThreadPoolExecutor(32)
        self._thread = threading.Thread(target=self._observe)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._pool.shutdown()

    def _observe(self) -> None:
        while not self._ended.wait(EVERY_SECONDS):
            self._pool.submit(self._look)

    def _look(self) -> None:
        at = time.time()
        connection = http.client.HTTPConnection(self._address, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("GET", "/observed")
            good = connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            good = False
        finally:
            connection.close()
        self._looks.append(Look(at=at, good=good))

    def between(self, begin: float, end: float) -> list[Look]:
        """Return what was seen of a stretch of wall-clock time, in order."""
        return sorted((look for look in self._looks if begin <= look.at < end), key=lambda look: look.at)

    def share_bad(self, begin: float, end: float) -> float:
        """Return the share of failed requests in it."""
        looks = self.between(begin, end)
        return sum(not look.good for look in looks) / len(looks)

    def good_from(self, begin: float, hold: float) -> float:
        """Return from when on every request was good for ``hold`` seconds: what an objective calls its recovery."""
        looks = self.between(begin, math.inf)
        since: float | None = None
        for look in looks:
            since = (look.at if since is None else since) if look.good else None
            if since is not None and look.at - since >= hold:
                return since
        raise AssertionError(f"never good for {hold} s: {looks[-40:]}")
