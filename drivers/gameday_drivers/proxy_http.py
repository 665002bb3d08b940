"""Faults of a fault proxy that act on HTTP/1.1 requests: by method, path, header and share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from gameday_drivers.proxy_latency import JITTER, latency_attributes
from gameday_drivers.proxy_target import PROXY_HELP
from gameday_drivers.proxy_toxic import ProxyFault, Toxic

METHOD = {"help": "in capitals; default: any"}
PATH = {"help": "a pattern with * and ?, without the query; default: any"}
HEADERS = {"help": "header fields that the request has: name to pattern"}
SHARE = {"unit": "percent", "min": 0, "max": 1, "help": "of the matching requests"}
STATUS = {"help": "what is answered", "min": 200, "max": 599}


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpFault(ProxyFault):
    """What they have in common: which requests they are for."""

    proxy: str = field(metadata={"help": PROXY_HELP})
    method: str = field(default="", metadata=METHOD)
    path: str = field(default="", metadata=PATH)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], metadata=HEADERS)
    share: float = field(default=1.0, metadata=SHARE)

    def struck(self, kind: str, **attributes: Any) -> Sequence[Toxic]:
        """Return the toxic for these requests; what is empty is left out."""
        matching = {"method": self.method, "path": self.path, "headers": dict(self.headers)}
        given = {name: value for name, value in matching.items() if value}
        return [Toxic(type=kind, attributes={**attributes, **given}, share=self.share)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyHttpAbort(HttpFault):
    """Answer matching requests with a status; the dependency does not hear of them."""

    status: int = field(default=503, metadata=STATUS)
    body: str = field(default="", metadata={"help": "of the answer"})

    name = "proxy.http-abort"

    def toxics(self) -> Sequence[Toxic]:
        """One."""
        return self.struck("http_abort", status=self.status, body=self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyHttpDelay(HttpFault):
    """Hold matching requests back."""

    latency: int = field(metadata={"unit": "duration", "help": "added to each", "min": 1, "max": 86_400_000})
    jitter: int = field(default=0, metadata=JITTER)
    distribution: Literal["uniform", "normal", "pareto"] = field(
        default="uniform", metadata={"help": "of the delays, as for proxy.latency"}
    )

    name = "proxy.http-delay"

    def toxics(self) -> Sequence[Toxic]:
        """One."""
        return self.struck("http_delay", **latency_attributes(self.latency, self.jitter, self.distribution))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyHttpCorrupt(HttpFault):
    """Invert some bytes in the bodies of answers to matching requests; length and framing stay."""

    bytes: float = field(
        default=0.01, metadata={"unit": "percent", "min": 0, "max": 1, "help": "of each body; at least one byte"}
    )

    name = "proxy.http-corrupt"

    def toxics(self) -> Sequence[Toxic]:
        """One."""
        return self.struck("http_corrupt", share=self.bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyHttpTruncate(HttpFault):
    """Close the connection in the middle of the body of answers to matching requests."""

    bytes: int = field(default=0, metadata={"help": "of the body that pass", "min": 0})

    name = "proxy.http-truncate"

    def toxics(self) -> Sequence[Toxic]:
        """One."""
        return self.struck("http_truncate", bytes=self.bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyHttpHeader(HttpFault):
    """Set or remove header fields of matching requests, or of their answers."""

    on: Literal["response", "request"] = field(default="response", metadata={"help": "whose header"})
    set: Mapping[str, str] = field(default_factory=dict[str, str], metadata={"help": "fields to set"})
    remove: tuple[str, ...] = field(default=(), metadata={"help": "fields to take out"})

    name = "proxy.http-header"

    def __post_init__(self) -> None:
        if not self.set and not self.remove:
            raise ValueError("set and remove are both missing: say what to change")

    def toxics(self) -> Sequence[Toxic]:
        """One."""
        return self.struck("http_header", on=self.on, set=dict(self.set), remove=list(self.remove))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyHttpRateLimit(HttpFault):
    """Let so many matching requests a second through, and answer the others with 429."""

    rate: int = field(metadata={"help": "requests a second", "min": 0})
    burst: int = field(default=1, metadata={"help": "requests at once, after a pause", "min": 0})
    status: int = field(default=429, metadata=STATUS)

    name = "proxy.http-rate-limit"

    def toxics(self) -> Sequence[Toxic]:
        """One."""
        return self.struck("http_rate_limit", rate=self.rate, burst=self.burst, status=self.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyHttpThrottle(HttpFault):
    """Let the bodies of answers to matching requests come slowly."""

    rate: int = field(metadata={"help": "kB (1000 bytes) a second; with 0 the body never comes", "min": 0})

    name = "proxy.http-throttle"

    def toxics(self) -> Sequence[Toxic]:
        """One."""
        return self.struck("http_throttle", rate=self.rate)
