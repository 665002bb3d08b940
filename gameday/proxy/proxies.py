"""All proxies of this process, and whose they are: one run's until that run is over, or nobody's."""

from __future__ import annotations

import asyncio
from typing import Any

from gameday.proxy.address import Address, parse_address, parse_listen
from gameday.proxy.errors import RefusedError
from gameday.proxy.log import Log
from gameday.proxy.proxy import API_HOLDER, Proxy
from gameday.proxy.spec import ProxySpec
from gameday.proxy.tls import Terminal, TlsError

_PROXY_LIMIT = 256
_NAME_LIMIT = 256


class Proxies:
    """The named proxies, and the state that decides what may still be done to them."""

    def __init__(self, *, run: str = "", seed: int | None = None, log: Log | None = None) -> None:
        self.run = run
        """The run that owns this process; empty without one."""
        self.seed = seed
        self.log = log or Log()
        self.over = asyncio.Event()
        """The run is over: traffic passes through and no fault can be set again."""
        self.ending = asyncio.Event()
        """Somebody asked this process to drain and end."""
        self.named: dict[str, Proxy] = {}

    def create(self, spec: ProxySpec) -> Proxy:
        """Add a proxy and listen; raises RefusedError with what is wrong."""
        name = checked_name(spec.name)
        if name in self.named:
            raise RefusedError(409, "proxy already exists")
        if len(self.named) >= _PROXY_LIMIT:
            raise RefusedError(400, f"more than {_PROXY_LIMIT} proxies")
        here, there = self.addresses(spec.listen, spec.upstream)
        try:
            terminal = None if spec.tls is None else Terminal(spec.tls)
            proxy = Proxy(name, here, there, tls=terminal, log=self.log)
        except TlsError as error:
            raise RefusedError(400, str(error)) from error
        except OSError as error:
            raise _cannot_listen(here, error) from error
        if not spec.enabled:
            proxy.hold_down(API_HOLDER)
        self.named[name] = proxy
        self.log.event("created", proxy=name, listen=str(proxy.listen), upstream=str(proxy.upstream))
        return proxy

    def replace(self, spec: ProxySpec) -> Proxy:
        """Add a proxy, instead of one of that name that leads elsewhere; one that leads there already stays as it is."""
        proxy = self.named.get(spec.name)
        here, there = self.addresses(spec.listen, spec.upstream)
        if proxy is not None:
            if (here, there, spec.tls) == (proxy.listen, proxy.upstream, proxy.tls and proxy.tls.settings):
                return proxy
            self.delete(spec.name)
        return self.create(spec)

    def find(self, name: str) -> Proxy:
        """Return the proxy of that name; raises RefusedError."""
        try:
            return self.named[name]
        except KeyError:
            raise RefusedError(404, "proxy not found") from None

    def move(self, proxy: Proxy, listen: object, upstream: object) -> None:
        """Give a proxy other addresses; raises RefusedError and leaves it as it was."""
        here, there = self.addresses(listen, upstream)
        if (here, there) == (proxy.listen, proxy.upstream):
            return
        try:
            proxy.move(here, there)
        except OSError as error:
            raise _cannot_listen(here, error) from error
        self.log.event("moved", proxy=proxy.name, listen=str(proxy.listen), upstream=str(proxy.upstream))

    def delete(self, name: str) -> None:
        """Give its port back and reset its connections; raises RefusedError."""
        proxy = self.find(name)
        del self.named[name]
        proxy.heal()
        proxy.stop_listening()
        proxy.cut()
        self.log.event("deleted", proxy=name)

    def heal(self) -> None:
        """Pass all traffic through."""
        for proxy in self.named.values():
            proxy.heal()

    def end_run(self) -> None:
        """Pass all traffic through, and let nobody set a fault again."""
        if not self.over.is_set():
            self.log.event("over", run=self.run, connections=self.connections)
        self.over.set()
        self.heal()

    def stop_listening(self) -> None:
        """Give the ports back; open connections go on."""
        for proxy in self.named.values():
            proxy.stop_listening()

    def close_links(self) -> None:
        """Close every connection after what has been written to it."""
        for proxy in self.named.values():
            proxy.close_links()

    @property
    def connections(self) -> int:
        """Connections that are open now, over all proxies."""
        return sum(proxy.connections for proxy in self.named.values())

    @property
    def busy_at(self) -> float:
        """When a connection was last open, on the loop's clock; now, while one is."""
        if self.connections:
            return asyncio.get_running_loop().time()
        return max((proxy.busy_at for proxy in self.named.values()), default=0.0)

    @staticmethod
    def addresses(listen: object, upstream: object) -> tuple[Address, Address]:
        """Read both addresses; raises RefusedError with what is wrong."""
        try:
            return parse_listen(listen), parse_address(upstream)
        except ValueError as error:
            raise RefusedError(400, f"bad request body: {error}") from error


def checked_name(name: Any) -> str:
    """Return the name of a proxy, toxic or holder; raises RefusedError for what no path could spell."""
    if not isinstance(name, str) or len(name) > _NAME_LIMIT or not name.isprintable():
        raise RefusedError(400, f"bad request body: a name is printable text of at most {_NAME_LIMIT} characters")
    if not name:
        raise RefusedError(400, "missing required field: name")
    return name


def _cannot_listen(address: Address, error: OSError) -> RefusedError:
    """Say it in Go's words, as Toxiproxy does."""
    return RefusedError(500, f"listen tcp {address}: bind: {(error.strerror or str(error)).lower()}")
