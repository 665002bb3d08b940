"""A gauge from RabbitMQ: how many messages a queue holds, by the management API."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

from gameday.spi import ProbeError, QueryError, World
from gameday.spi.probe import READ_MS
from gameday_drivers.deadline import Deadline
from gameday_drivers.http_json import Api
from gameday_drivers.jsonpath import as_number

_FIELDS = {"all": "messages", "ready": "messages_ready", "unacked": "messages_unacknowledged"}
_LIVE = ("running", "idle", "flow", "live")
"""States of a queue that answers; of one that is down the API goes on to tell the last number it had."""
SETTLE_SECONDS = 1.0
"""How long the statistics may be behind. Every 5 s, when they are collected, they are so for milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RabbitmqProbe:
    """Read how many messages a queue of RabbitMQ holds, by the management API."""

    value: str = field(metadata={"help": "the management API: http://127.0.0.1:15672"})
    queue: str = field(metadata={"help": "the queue's name"})
    vhost: str = field(default="/", metadata={"help": "the queue's virtual host"})
    count: Literal["all", "ready", "unacked"] = field(
        default="all",
        metadata={"help": "which messages: all, ready (not delivered), unacked (delivered, not acknowledged)"},
    )
    user: str = field(default="", metadata={"help": "who asks; needs the tag management"})
    password: str = field(default="", metadata={"help": 'a secret: "${password}"'}, repr=False)
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any], metadata={"help": "sent along"})
    timeout_: int = field(
        default=READ_MS, metadata={"unit": "duration", "min": 1, "help": "how long one read may take"}
    )

    name = "rabbitmq"

    def __post_init__(self) -> None:
        self._api(self.timeout).check()
        for name in ("queue", "vhost"):
            if not getattr(self, name):
                raise ValueError(f"{name} is empty; write {{rabbitmq: URL, queue: jobs, vhost: /}}")

    @property
    def timeout(self) -> float:
        """Seconds for all that is asked in one read."""
        return self.timeout_ / 1000

    def read(self, world: World) -> float:
        """Return the number; statistics that are behind are no reading."""
        deadline = Deadline.after(self.timeout)
        try:
            self._refuse_stale(world, deadline)
            path = f"/api/queues/{quote(self.vhost, safe='')}/{quote(self.queue, safe='')}"
            found = self._api(deadline.left()).ask(world, path)
        except TimeoutError:
            raise ProbeError(f"{self.value}: no answer within {self.timeout:g} s") from None
        return self._number(found)

    def _number(self, found: Mapping[str, Any]) -> float:
        key, state = _FIELDS[self.count], found.get("state")
        if state not in _LIVE:
            raise ProbeError(f"the queue {self.queue!r:.80} is {state!r:.40}: what the API says of it is stale")
        if key not in found:
            raise ProbeError(f"there are no statistics of the queue {self.queue!r:.80} yet")
        try:
            return as_number(found[key], key)
        except ValueError as error:
            raise QueryError(f"the queue {self.queue!r:.80}: {error}") from None

    def _refuse_stale(self, world: World, deadline: Deadline) -> None:
        """Raise ProbeError when what has been counted does not get into the statistics that the API answers from."""
        end = time.monotonic() + min(SETTLE_SECONDS, deadline.seconds / 2)
        while waiting := self._waiting(world, deadline):
            if time.monotonic() >= end:
                raise ProbeError(f"its statistics are stale: {waiting:g} events wait to get into them")
            time.sleep(0.05)

    def _waiting(self, world: World, deadline: Deadline) -> float:
        found = self._api(deadline.left()).ask(world, "/api/overview?columns=statistics_db_event_queue")
        if "statistics_db_event_queue" not in found:
            raise QueryError("it does not tell whether its statistics are stale; give the user the tag management")
        try:
            return as_number(found["statistics_db_event_queue"], "statistics_db_event_queue")
        except ValueError as error:
            raise QueryError(str(error)) from None

    def _api(self, seconds: float) -> Api:
        return Api(url=self.value, headers=self.headers, user=self.user, password=self.password, timeout=seconds)
