"""One named proxy: its port, its connections, and the faults that are set on it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any

from gameday.proxy.address import Address
from gameday.proxy.attributes import Attributes
from gameday.proxy.dialogue import Dialogue, Rules
from gameday.proxy.effects import Fate
from gameday.proxy.kinds import Blackhole, Timeout
from gameday.proxy.leases import Leases
from gameday.proxy.link import Link, Route
from gameday.proxy.listener import Listener
from gameday.proxy.log import Log
from gameday.proxy.sockets import reset_on_close
from gameday.proxy.tls import Served, Terminal, TlsCertificate
from gameday.proxy.toxics import STREAMS, Lane, Toxic
from gameday.proxy.traffic import Traffic

API_HOLDER = ""
"""Who holds a proxy down that was disabled through the Toxiproxy API, which knows no holders."""
_PROBE_SECONDS = 5.0
"""How long an announced probe is waited for; a client may get the same port later."""


class Proxy:
    """Passes bytes between ``listen`` and ``upstream``; every change is in force when its method returns.

    It is down while at least one holder holds it down: the port refuses and its connections are reset. The kernel does not
    tell how many connections it refused. So that a fault that nobody meets can be told from one that clients run into,
    the port is left open, to reset and count the first connection, until each holder's fault was met once; then it refuses.
    So it is with a blackhole that drops new connections: it takes in the first.
    """

    def __init__(
        self, name: str, listen: Address, upstream: Address, *, tls: Terminal | None = None, log: Log | None = None
    ) -> None:
        """Listen at once; raise OSError when the address cannot be had."""
        self.name = name
        self.upstream = upstream
        self.tls = tls
        self.toxics: dict[str, Toxic] = {}
        self.holders: dict[str, int] = {}
        """Who holds it down → connections cut or turned away since, at the least."""
        self.busy_at = asyncio.get_running_loop().time()
        """When a connection was last open, on the loop's clock."""
        self.traffic = Traffic()
        self.rules = Rules()
        self._log = log or Log()
        self._leases = Leases(self._lapse)
        self._lanes = {stream: Lane() for stream in STREAMS}
        self._links: dict[Link, asyncio.Task[None]] = {}
        self._hanging: set[Link] = set()
        """Those that a blackhole took in, without a dependency behind them."""
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

    def hold_down(self, holder: str, lease_ms: int | None = None, *, keep_open: bool = False) -> None:
        """Refuse new connections and reset the open ones, or not; again by the same holder changes nothing but the lease."""
        if holder not in self.holders:
            self.holders[holder] = 0
            self._met_down(0 if keep_open else self.cut())
        self._leases.grant(("down", holder), lease_ms)

    def release(self, holder: str) -> None:
        """Stop holding it down; it is up when the last holder has let go. Never fails."""
        self.holders.pop(holder, None)
        self._leases.end(("down", holder))
        self._tune_port()

    def add_toxic(self, toxic: Toxic, lease_ms: int | None = None) -> None:
        """Set a toxic; its name must be new here."""
        self.toxics[toxic.name] = toxic
        self._leases.grant(("toxic", toxic.name), lease_ms)
        self._changed()

    def change_toxic(self, name: str, kind: Attributes, toxicity: float) -> None:
        """Change a toxic; bytes held back are timed anew."""
        self.toxics[name].kind = kind
        self.toxics[name].toxicity = toxicity
        self._changed()

    def remove_toxic(self, name: str) -> bool:
        """Take a toxic off; what it held back leaves at once, in order. Return whether it was there."""
        toxic = self.toxics.pop(name, None)
        self._leases.end(("toxic", name))
        if toxic is not None:
            toxic.on = False
            self._changed()
        return toxic is not None

    def renew(self, what: str, name: str, lease_ms: int) -> bool:
        """Let a ``toxic`` or a holder of it ``down`` last so much longer from now; return whether it is there."""
        if name not in (self.toxics if what == "toxic" else self.holders):
            return False
        self._leases.grant((what, name), lease_ms)
        return True

    def lease_left(self, what: str, name: str) -> int | None:
        """Return the milliseconds until it lapses; None without a lease."""
        return self._leases.left_ms((what, name))

    def heal(self) -> None:
        """Pass traffic through: no holder and no toxic is left."""
        self.holders.clear()
        for toxic in self.toxics.values():
            toxic.on = False
        self.toxics.clear()
        self._leases.end_all()
        self._changed()

    def move(self, listen: Address, upstream: Address) -> None:
        """Change its addresses; open connections are reset, for they lead elsewhere. Raises OSError and keeps the old ones."""
        if listen != self.listen:
            moved = Listener(listen, self._accepted)
            if self._listener is not None:
                self._listener.close()
            self._listener = moved
            self.listen = moved.address
        self.upstream = upstream
        self.cut()
        self._tune_port()

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
        if self.tls is not None:
            self.tls.close()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def close_links(self) -> None:
        """Close every connection after what has been written to it."""
        for link in list(self._links):
            link.close()

    def passed(self, stream: str) -> int:
        """Return the bytes that came from clients (``upstream``) or from the dependency (``downstream``) so far."""
        return self.traffic.passed[stream] + sum(link.passed(stream) for link in self._links)

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
        return [toxic for stream in STREAMS for toxic in self.toxics.values() if toxic.stream == stream]

    def certificate(self, *, count: bool) -> Served | None:
        """Return what the next client is shown, the last bad one that is set; None without TLS."""
        if self.tls is None:
            return None
        for toxic in reversed(self.toxics.values()):
            if isinstance(toxic.kind, TlsCertificate) and toxic.strikes():
                toxic.met += count
                toxic.chunks += count
                return self.tls.bad[toxic.kind.certificate]
        return self.tls.good

    def unreachable(self, link: Link, error: Exception) -> None:
        """Note that a link came to nothing."""
        if isinstance(error, ssl.SSLError):
            self.traffic.bad_handshakes += 1
        elif link.whole:
            self.traffic.unreachable += 1
            if self.traffic.unreachable_now():
                self._log.event("unreachable", proxy=self.name, upstream=str(self.upstream), error=str(error))

    def gone(self, link: Link) -> None:
        """Forget a link of which nothing is left."""
        self._links.pop(link, None)
        self._hanging.discard(link)
        for stream in STREAMS:
            self.traffic.passed[stream] += link.passed(stream)
        self.busy_at = asyncio.get_running_loop().time()

    def reader(self, link: Link) -> Dialogue:
        """Return somebody to read what passes a link."""
        return Dialogue(link, self.rules)

    def _changed(self) -> None:
        """Bring everything in line with the toxics; never blocks.

        A connection on which nothing acts sees the change with its next chunk: a thousand of them cost nothing here.
        """
        toxics = tuple(self.toxics.values())
        self.rules.change(toxics)
        self._tune_port()
        for stream, lane in self._lanes.items():
            lane.change(tuple(one for one in toxics if one.stream == stream or isinstance(one.kind, Blackhole)))
        if any(isinstance(one.kind, Timeout) for one in toxics):
            for link in self._links:  # it closes silent connections, too
                link.reschedule()
        if self._hanging and not self._holes():
            for link in list(self._hanging):
                link.cut()

    def _holes(self) -> list[Toxic]:
        """Blackholes that take in new connections."""
        return [one for one in self.toxics.values() if isinstance(one.kind, Blackhole) and one.kind.new != "pass"]

    def _tune_port(self) -> None:
        """Refuse, be deaf or listen, as holders and blackholes want it."""
        if self._listener is None:
            return
        deafening = [one for one in self._holes() if one.toxicity >= 1 and _drops(one.kind)]
        if self.holders:
            act: Callable[[], None] = self._listener.refuse if all(self.holders.values()) else self._listener.listen
        else:
            act = self._listener.go_deaf if any(one.met for one in deafening) else self._listener.listen
        act()

    def _accepted(self, sock: socket.socket, peer: Address) -> None:
        loop = asyncio.get_running_loop()
        probe = self._probes.pop(str(peer), 0.0) > loop.time()
        if self.holders:
            reset_on_close(sock)
            self._met_down(0 if probe else 1)  # before the client hears of it: when it tries again, the port refuses
        if self.holders or (probe and self.tls is None):
            sock.close()
            return
        served = self.certificate(count=not probe)
        fate = Fate()
        holes = [one for one in self._holes() if fate.strikes(one)]
        route = Route(
            upstream=self.upstream,
            client_tls=None if served is None else served.context,
            server_tls=None if self.tls is None else self.tls.client,
            server_name="" if self.tls is None else self.tls.settings.upstream_name,
        )
        link = Link(route, self._lanes, fate, self.rules, self)
        if not probe:
            self.traffic.accepted += 1
            for hole in holes:
                fate.note(hole)
        if holes and not probe:
            self._hanging.add(link)
        run = link.greet(sock) if probe else link.run(sock, hang=bool(holes))
        self._links[link] = loop.create_task(run)
        if holes:
            self._tune_port()

    def _met_down(self, count: int) -> None:
        self.traffic.turned_away += count
        for holder in self.holders:
            self.holders[holder] += count
        self._tune_port()

    def _lapse(self, key: tuple[str, str]) -> None:
        """End what nobody renewed."""
        what, name = key
        self._log.event("lapsed", proxy=self.name, **{what: name})
        if what == "toxic":
            fault = self.toxics[name].fault
            for one in [name, *(toxic.name for toxic in self.toxics.values() if fault and toxic.fault == fault)]:
                self.remove_toxic(one)
        else:
            self.release(name)


def _drops(kind: Attributes) -> bool:
    return isinstance(kind, Blackhole) and kind.new == "drop"
