"""The section ``load:``, what is asked of the system: requests or a locustfile, in the open or the closed model."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from gameday.schema.curve import Curve, Step
from gameday.schema.fields import Argument, CheckLine, Environment, Headers, Line, PathOrUrl, Url
from gameday.schema.section import Section, key
from gameday.schema.units import Duration, PositiveDuration, Rate

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
_LOCUST_ONLY = ("tags", "exclude_tags", "classes", "args", "env", "workers", "shape")
_HIGHEST_PORT = 65_535


class Request(Section):
    """One kind of request; its name is the endpoint that objectives speak of."""

    name: Line = key(description="the endpoint, as objectives call it")
    weight: int = key(default=1, least=1, most=1_000_000, description="its share of the arrivals, among all weights")
    get: PathOrUrl | None = None
    post: PathOrUrl | None = None
    put: PathOrUrl | None = None
    patch: PathOrUrl | None = None
    delete: PathOrUrl | None = None
    head: PathOrUrl | None = None
    options: PathOrUrl | None = None
    json_: Any = key(default=None, alias="json", description="the body, sent as JSON")
    body: str | None = key(default=None, description="the body, sent as it is")
    headers: Headers = key(default={}, description="beside those of the load, whose place they take")
    check: tuple[CheckLine, ...] = key(
        default=(), description="what a good answer looks like", examples=[["status == 200"]]
    )

    @property
    def method(self) -> str:
        """In lower case: ``get``."""
        return next(method for method in METHODS if getattr(self, method) is not None)

    @property
    def path(self) -> str:
        """Path or URL of this request."""
        return str(getattr(self, self.method))

    def agree(self) -> None:
        """Raise ValueError when keys contradict each other."""
        if sum(getattr(self, method) is not None for method in METHODS) != 1:
            raise ValueError(f"needs exactly one of {', '.join(METHODS)}")
        if self.json_ is not None and self.body is not None:
            raise ValueError("has both json and body; keep one")


class Stage(Section):
    """One stage of a load that changes: ramp linearly to a level, then hold it."""

    rate: Rate | None = key(default=None, description="arrivals, whatever the system does")
    users: int | None = key(default=None, least=1, most=1_000_000, description="users, each waiting for its answer")
    ramp: Duration = key(default=0, description="how long it takes to get there from the stage before")
    hold: Duration = key(description="how long it stays there; the last stage stays until the end of the run")

    @property
    def level(self) -> float:
        """Arrivals per second, or users."""
        return float(self.rate if self.rate is not None else self.users or 0)

    def agree(self) -> None:
        """Raise ValueError when keys contradict each other."""
        if (self.rate is None) == (self.users is None):
            raise ValueError("needs exactly one of rate and users")
        if self.ramp + self.hold == 0:
            raise ValueError("needs a ramp or a hold longer than 0s")


class Workers(Section):
    """Locust's own workers, which a master on this machine waits for."""

    expect: int = key(least=1, most=1_000, description="how many must connect before the load begins")
    bind: Line = key(default="127.0.0.1", description="the address on which the master listens")
    port: int = key(default=5557, least=1, most=_HIGHEST_PORT, description="the port on which it listens")


class LoadProfile(Section):
    """Load in the open model (arrivals at ``rate`` whatever the system does) or in the closed one (``users`` that wait)."""

    target: Url = key(description="the base URL", examples=["${base_url}"])
    rate: Rate | None = key(default=None, description="the open model: arrivals, whatever the system does")
    users: int | None = key(
        default=None, least=1, most=1_000_000, description="the closed model: users, each of which waits for its answer"
    )
    stages: tuple[Stage, ...] | None = key(
        default=None, least=1, most=200, description="a load that changes, one stage after the other"
    )
    shape: Literal[True] | None = key(default=None, description="the locustfile's own LoadTestShape decides")
    spawn_rate: Rate | None = key(default=None, description="how fast users are started; default: all at once")
    arrivals: Literal["constant", "poisson"] = key(default="constant", description="evenly spaced, or at random")
    timeout: PositiveDuration = key(default=5_000, description="a request that takes longer is bad")
    verify_tls: bool = key(default=True, description="false: accept any certificate")
    headers: Headers = key(default={}, description="sent with every request")
    requests: tuple[Request, ...] | None = key(
        default=None, least=1, most=200, description="what is asked, each with its weight"
    )
    locustfile: Line | None = key(default=None, description="an unchanged locustfile, instead of requests")
    tags: tuple[Line, ...] = key(default=(), description="only the locustfile's tasks with one of these tags")
    exclude_tags: tuple[Line, ...] = key(default=(), description="none of the tasks with one of these tags")
    classes: tuple[Line, ...] = key(default=(), description="only these user classes of the locustfile")
    args: tuple[Argument, ...] = key(default=(), description="arguments that the locustfile itself defines")
    env: Environment = key(default={}, description="environment variables for the locustfile")
    processes: int = key(default=1, least=1, most=64, description="load generators on this machine")
    workers: Workers | None = key(default=None, description="load generators that connect to this machine")
    max_in_flight: int | None = key(default=None, least=1, description="default: 1.2 times rate times timeout")
    allow_hosts: tuple[Line, ...] | None = key(
        default=None, description="hosts that may be loaded, like *.staging.example.com; default: the target's only"
    )

    @property
    def open_model(self) -> bool:
        """Arrivals follow the clock, not the answers."""
        return self.rate is not None or any(stage.rate is not None for stage in self.stages or ())

    @cached_property
    def curve(self) -> Curve:
        """Arrivals per second in the open model, users in the closed one, from the load's beginning on."""
        if self.stages is not None:
            return Curve.of(Step(stage.level, stage.ramp, stage.hold) for stage in self.stages)
        return Curve.constant(float(self.rate if self.rate is not None else self.users or 0))

    @property
    def peak_rate(self) -> float:
        """Most arrivals per second; 0 in the closed model, where the system decides."""
        return self.curve.peak if self.open_model else 0.0

    @property
    def peak_users(self) -> int:
        """Most users; 0 in the open model, and where the locustfile's shape decides."""
        return 0 if self.open_model else round(self.curve.peak)

    def rate_at(self, ms: float) -> float:
        """Return arrivals per second, ``ms`` after the load's beginning; 0 in the closed model."""
        return self.curve.at(ms) if self.open_model else 0.0

    def users_at(self, ms: float) -> float:
        """Return users, ``ms`` after the load's beginning; 0 in the open model."""
        return 0.0 if self.open_model else self.curve.at(ms)

    def offered(self, from_ms: float, to_ms: float) -> float:
        """Return how many arrivals are due in ``[from_ms, to_ms)`` of the load's time; 0 in the closed model."""
        return self.curve.area(from_ms, to_ms) if self.open_model else 0.0

    @property
    def cap(self) -> int:
        """How many requests may be in flight: a smaller cap would hide an outage from the percentiles.

        1.2 times the peak rate times the timeout; in the closed model one for each user.
        """
        if self.max_in_flight is not None:
            return self.max_in_flight
        return max(1, self.peak_users, -(-int(1.2 * self.peak_rate * self.timeout) // 1000))

    def agree(self) -> None:
        """Raise ValueError when keys contradict each other."""
        self._one_source()
        self._one_level()

    def _one_source(self) -> None:
        if (self.requests is None) == (self.locustfile is None):
            raise ValueError("needs exactly one of requests and locustfile")
        if self.requests is not None and (extra := next((key for key in _LOCUST_ONLY if getattr(self, key)), None)):
            raise ValueError(
                f"has {extra!r}, which only a locustfile understands; remove it, or write locustfile: FILE"
            )
        if self.workers is not None and self.processes != 1:
            raise ValueError("has both workers and processes; keep one")

    def _one_level(self) -> None:
        given = [key for key in ("rate", "users", "stages", "shape") if getattr(self, key) is not None]
        if len(given) != 1:
            hint = "write rate: 100/s" if not given else f"keep one of {' and '.join(given)}"
            raise ValueError(f"needs exactly one of rate, users and stages; {hint}")
        if len({stage.rate is None for stage in self.stages or ()}) > 1:
            raise ValueError("has stages of rate and of users; keep to one of them")
        if self.open_model and self.spawn_rate is not None:
            raise ValueError("has spawn_rate, which is for users; remove it")
        if not self.open_model and self.arrivals != "constant":
            raise ValueError(f"has arrivals: {self.arrivals}, which needs rate; users decide themselves when they ask")
