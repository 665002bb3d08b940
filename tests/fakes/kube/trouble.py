"""What can go wrong with one request: the server refuses, fails, hangs, or what comes is no answer."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from gameday.spi import Driver
from gameday_drivers.kube import api, execute
from tests.fakes.kube.cluster import FakeKube
from tests.fakes.kube.errors import ApiError, Broken
from tests.fakes.kube.world import WRITES

SHORT_SECONDS = 0.1
"""How long one request may take while an API hangs in a test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One thing that can go wrong, and what must be said of it."""

    name: str
    comes: ApiError | Broken
    said: str
    """Regular expression."""

    @property
    def done(self) -> bool:
        """Whether the request was carried out all the same."""
        return isinstance(self.comes, Broken) and self.comes.done


def _answered(code: int, reason: str, **headers: str) -> Trouble:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Trouble(name=f"{code}", comes=ApiError(code, reason, "boom", headers=named), said=f"answers {code} ")


def _broken(how: Any, said: str, *, done: bool = False) -> Trouble:
    return Trouble(name=f"{how}{', but done' * done}", comes=Broken(how=how, done=done), said=said)


REFUSED = (
    _answered(500, "InternalError"),
    _answered(403, "Forbidden"),
    _answered(429, "TooManyRequests", Retry_After="30"),
    _answered(410, "Expired"),
    _answered(503, "ServiceUnavailable"),
)
UNANSWERED = (
    _broken("reset", "no answer from the API server"),
    _broken("truncated", "no answer from the API server"),
    _broken("not JSON", "with what is not JSON|no answer"),
    _broken("no object", "with what is no object of Kubernetes|no answer"),
    _broken("empty object", "with what is no object of Kubernetes|no answer"),
    _broken("hang", "nothing within|no answer"),
)
DONE = (
    _broken("reset", "no answer from the API server", done=True),
    _broken("not JSON", "with what is not JSON|no answer", done=True),
    _broken("hang", "nothing within|no answer", done=True),
)
"""What is carried out, and whoever asked does not learn it: only of writes."""
TROUBLES = (*REFUSED, *UNANSWERED)


@dataclass(slots=True)
class Once:
    """Lets one of the requests to come meet a trouble, and counts all of them."""

    at: int = -1
    """Which one, from 0; -1 for none."""
    trouble: Trouble | None = None
    asked: list[str] = field(default_factory=list[str])
    """The method of each."""

    def __call__(self, method: str, path: str) -> ApiError | Broken | None:
        """Answer as an emulator's fault does; a question about rights that is only asked does not count as a write."""
        self.asked.append("GET" if "accessreviews" in path else method)
        if self.trouble is None or len(self.asked) != self.at + 1:
            return None
        return self.trouble.comes

    @property
    def met(self) -> bool:
        """Whether it came to that."""
        return len(self.asked) > self.at


@contextmanager
def meeting(kube: FakeKube, driver: Driver, once: Once) -> Generator[None]:
    """Let the requests within meet it; where an API hangs it is given up sooner than by default."""
    with pytest.MonkeyPatch.context() as patch:
        if once.trouble is not None and once.trouble.name.startswith("hang"):
            short = partial(api.connect, seconds=SHORT_SECONDS)
            patch.setattr(api, "connect", short)
            patch.setattr(f"{type(driver).__module__}.connect", short)
            patch.setattr(execute, "REQUEST_SECONDS", SHORT_SECONDS)
        kube.faults.append(once)
        try:
            yield
        finally:
            kube.faults.remove(once)


def pairs(asked: list[str], start: int) -> Iterator[tuple[int, Trouble]]:
    """Yield which request meets what: every request something, every trouble somewhere, and each write what is hardest to tell."""
    for number in range(max(len(asked), len(TROUBLES))):
        yield number % len(asked), TROUBLES[(number + start) % len(TROUBLES)]
    writes = [number for number, method in enumerate(asked) if method in WRITES]
    yield from ((number, trouble) for number in writes for trouble in (REFUSED[0], *DONE[:2]))
    yield from ((number, DONE[2]) for number in writes[:1])
