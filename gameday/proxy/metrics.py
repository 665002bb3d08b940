"""What the proxies have counted, in the text format of Prometheus (version 0.0.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gameday.proxy.proxies import Proxies
from gameday.proxy.proxy import Proxy
from gameday.proxy.toxics import STREAMS

_FAMILIES: tuple[tuple[str, str, str, Callable[[Proxy], float]], ...] = (
    ("up", "gauge", "Whether nobody holds the proxy down.", lambda proxy: proxy.enabled),
    ("connections", "gauge", "Connections that are open now.", lambda proxy: proxy.connections),
    ("accepted_total", "counter", "Connections accepted.", lambda proxy: proxy.traffic.accepted),
    (
        "turned_away_total",
        "counter",
        "Connections reset by a fault, without those that the kernel refused.",
        lambda proxy: proxy.traffic.turned_away,
    ),
    (
        "unreachable_total",
        "counter",
        "Clients reset for want of the upstream.",
        lambda proxy: proxy.traffic.unreachable,
    ),
    ("bad_handshakes_total", "counter", "TLS handshakes that failed.", lambda proxy: proxy.traffic.bad_handshakes),
    ("http_requests_total", "counter", "Requests read while HTTP toxics were set.", lambda proxy: proxy.rules.requests),
    ("http_unread_total", "counter", "Connections given up on as not HTTP/1.1.", lambda proxy: proxy.rules.unread),
)


def exposition(proxies: Proxies) -> str:
    """Return every metric of every proxy."""
    return "\n".join([*_lines(proxies), ""])


def _lines(proxies: Proxies) -> Iterator[str]:
    every = sorted(proxies.named.items())
    for name, kind, text, read in _FAMILIES:
        yield from _header(f"gameday_proxy_{name}", kind, text)
        for label, proxy in every:
            yield f'gameday_proxy_{name}{{proxy="{_escaped(label)}"}} {int(read(proxy))}'
    yield from _header("gameday_proxy_bytes_total", "counter", "Bytes that came from clients (upstream) and servers.")
    for label, proxy in every:
        for stream in STREAMS:
            labels = f'proxy="{_escaped(label)}",stream="{stream}"'
            yield f"gameday_proxy_bytes_total{{{labels}}} {proxy.passed(stream)}"
    yield from _header("gameday_proxy_toxic_met", "gauge", "Connections that a toxic has acted on since it was set.")
    for labels, met, _ in _toxics(proxies):
        yield f"gameday_proxy_toxic_met{{{labels}}} {met}"
    yield from _header(
        "gameday_proxy_toxic_chunks", "gauge", "Chunks or requests that it has acted on since it was set."
    )
    for labels, _, chunks in _toxics(proxies):
        yield f"gameday_proxy_toxic_chunks{{{labels}}} {chunks}"


def _toxics(proxies: Proxies) -> Iterator[tuple[str, int, int]]:
    for label, proxy in sorted(proxies.named.items()):
        for toxic in proxy.ordered_toxics():
            labels = f'proxy="{_escaped(label)}",toxic="{_escaped(toxic.name)}",type="{toxic.kind.TYPE}"'
            yield labels, toxic.met, toxic.chunks


def _header(name: str, kind: str, text: str) -> tuple[str, str]:
    return f"# HELP {name} {text}", f"# TYPE {name} {kind}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
