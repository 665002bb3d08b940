"""One named proxy: its port, its connections, and the faults that are set on it."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from gameday.proxy.address import Address
from gameday.proxy.faults import STREAMS, Draw, Lane, Latency, Toxic
from gameday.proxy.link import Link, reset_on_close
from gameday.proxy.listener import Listener

API_HOLDER = ""
"""Who holds a proxy down that was disabled through the Toxiproxy API, which knows no holders."""
_PROBE_SECONDS = 5.0
"""How long an announced probe is waited for; a client may get the same port later."""


class Proxy:
    """Passes bytes between ``listen`` and ``upstream``; every change is in force when its method returns.

    It is down while at least one holder holds it down: the port refuses and its connections are reset. The kernel does not
    tell how many connections it refused. So that a fault that nobody meets can be told from one that clients run into,
    the port is left open, to reset and count the first connection, until each holder's fault was met once; then it refuses.
    """

    def __init__(self, name: str, listen: Address, upstream: Address, draw: Draw) -> None:
        """Listen at once; raise OSError when the address cannot be had."""
        self.name = name
        self.upstream = upstream
        self.toxics: dict[str, Toxic] = {}
        self.holders: dict[str, int] = {}
        """Who holds it down → connections cut or turned away since, at the least."""
        self.busy_at = asyncio.get_running_loop().time()
        """When a connection was last open, on the loop's clock."""
        self._draw = draw
        self._lanes = {stream: Lane() for stream in STREAMS}
        self._links: dict[Link, asyncio.Task[None]] = {}
        self._probes: dict[str, float] = {}
        self._listener: Listener | None = Listener(listen, self._accepted)
        self.listen = self._listener.address

    @property
    def enabled(self) -> bool:
        """Whether nobody holds it down."""
        return not self.holders

    @property
    def owns_port(self) -> bool:
        """Whether the port is still ours, open or refusing; after the end has begun it is not."""
        return self._listener is not None

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        return sum(link.whole for link in self._links)

    def hold_down(self, holder: str) -> None:
        """Reset every connection and refuse new ones; again by the same holder changes nothing."""
        if holder not in self.holders:
            self.holders[holder] = 0
            self._met_down(self.cut())
            if self._listener is not None and not all(self.holders.values()):
                self._listener.listen()

    def release(self, holder: str) -> None:
        """Stop holding it down; it is up when the last holder has let go. Never fails."""
        self.holders.pop(holder, None)
        if not self.holders and self._listener is not None:
            self._listener.listen()

    def add_toxic(self, toxic: Toxic) -> None:
        """Set a latency; its name must be new here."""
        self.toxics[toxic.name] = toxic
        self._changed()

    def change_toxic(self, name: str, latency: Latency) -> None:
        """Change a latency; bytes held back get the new one."""
        self.toxics[name].latency = latency
        self._changed()

    def remove_toxic(self, name: str) -> bool:
        """Take a latency off; what it held back leaves at once, in order. Return whether it was there."""
        removed = self.toxics.pop(name, None) is not None
        self._changed()
        return removed

    def heal(self) -> None:
        """Pass traffic through: no holder and no toxic is left."""
        self.holders.clear()
        if self._listener is not None:
            self._listener.listen()
        self.toxics.clear()
        self._changed()

    def move(self, listen: Address, upstream: Address) -> None:
        """Change its addresses; open connections are reset, for they lead elsewhere. Raises OSError and keeps the old ones."""
        if listen != self.listen:
            moved = Listener(listen, self._accepted)
            self.stop_listening()
            self._listener = moved
            self.listen = moved.address
        self.upstream = upstream
        self.cut()
        self._met_down(0)

    def expect_probe(self, peer: str) -> None:
        """Close the next connection from this address (``HOST:PORT``) uncounted and undialled: it only asks whether it is up."""
        now = asyncio.get_running_loop().time()
        self._probes = {known: until for known, until in self._probes.items() if until > now}
        self._probes[peer] = now + _PROBE_SECONDS

    def forget_probe(self, peer: str) -> None:
        """Treat connections from this address as any other again."""
        self._probes.pop(peer, None)

    def cut(self) -> int:
        """Reset every connection; return how many there were."""
        return sum(link.cut() for link in list(self._links))

    def stop_listening(self) -> None:
        """Give the port back; open connections go on."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def close_links(self) -> None:
        """Close every connection after what has been written to it."""
        for link in list(self._links):
            link.close()

    def to_json(self) -> dict[str, Any]:
        """As Toxiproxy answers it, in its order; ``Logger`` is upstream's own slip, and clients may count on it."""
        return {
            "name": self.name,
            "listen": str(self.listen),
            "upstream": str(self.upstream),
            "enabled": self.enabled,
            "Logger": {},
            "toxics": [toxic.to_json() for toxic in self.ordered_toxics()],
        }

    def ordered_toxics(self) -> list[Toxic]:
        """By direction, then in the order in which they were set."""
        return [toxic for stream in STREAMS for toxic in self._lanes[stream].toxics]

    def _changed(self) -> None:
        for stream, lane in self._lanes.items():
            lane.toxics = tuple(toxic for toxic in self.toxics.values() if toxic.stream == stream)
        for link in self._links:
            link.reschedule()

    def _accepted(self, sock: socket.socket, peer: Address) -> None:
        probe = self._probes.pop(str(peer), 0.0) > asyncio.get_running_loop().time()
        if self.holders:
            reset_on_close(sock)
            self._met_down(0 if probe else 1)  # before the client hears of it: when it tries again, the port refuses
        if probe or self.holders:
            sock.close()
        else:
            link = Link(self.upstream, self._lanes, self._draw, self._gone)
            self._links[link] = asyncio.get_running_loop().create_task(link.run(sock))

    def _met_down(self, count: int) -> None:
        for holder in self.holders:
            self.holders[holder] += count
        if self.holders and all(self.holders.values()) and self._listener is not None:
            self._listener.refuse()

    def _gone(self, link: Link) -> None:
        self._links.pop(link, None)
        self.busy_at = asyncio.get_running_loop().time()
