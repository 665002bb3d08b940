"""A listening port that can refuse connections and come back, without anyone taking it meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable

from gameday.proxy.address import Address

OnSocket = Callable[[socket.socket, Address], None]
"""Takes an accepted socket and the address of its other side."""
_BACKLOG = 4096
_BATCH = 64
"""Connections accepted in one go, so that a burst does not starve the open ones."""
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_REST_SECONDS = 0.25


class Listener:
    """Hands accepted sockets to ``on_socket``.

    On Linux ``shutdown`` of a listening socket makes the kernel refuse connections (and resets those that nobody has accepted)
    while the socket stays bound, and ``listen`` brings it back. SO_REUSEADDR is taken off meanwhile: with it anybody
    else who sets it could bind the port. Where shutdown does not do that, the socket is bound anew and left unused.
    """

    def __init__(self, address: Address, on_socket: OnSocket) -> None:
        """Bind and listen; raise OSError when the address cannot be had."""
        self._on_socket = on_socket
        self._socket = _bound(address)
        self.address = Address(address.host, self._socket.getsockname()[1])
        self._listening = False
        try:
            self.listen()
        except OSError:
            self._socket.close()
            raise

    def listen(self) -> None:
        """Accept connections from now on."""
        if not self._listening:
            _reuse(self._socket, on=True)
            self._socket.listen(_BACKLOG)
            self._listening = True
            self._watch()

    def refuse(self) -> None:
        """Refuse connections from now on."""
        if not self._listening:
            return
        self._unwatch()
        _reuse(self._socket, on=False)
        try:
            self._socket.shutdown(socket.SHUT_RD)
        except OSError:  # not Linux
            self._socket.close()
            self._socket = _bound(self.address)

    def close(self) -> None:
        """Give the port back."""
        self._unwatch()
        self._socket.close()

    def _watch(self) -> None:
        if self._listening:
            asyncio.get_running_loop().add_reader(self._socket.fileno(), self._accept)

    def _unwatch(self) -> None:
        if self._listening:
            self._listening = False
            asyncio.get_running_loop().remove_reader(self._socket.fileno())

    def _accept(self) -> None:
        for _ in range(_BATCH):
            if not self._listening:
                return
            try:
                sock, peer = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                self._rest()
                return
            sock.settimeout(0)
            self._on_socket(sock, Address(peer[0].removeprefix("::ffff:"), peer[1]))

    def _rest(self) -> None:
        """Out of descriptors or memory: leave the rest in the kernel's queue for a moment."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket.fileno())
        loop.call_later(_REST_SECONDS, self._watch)


def _bound(address: Address) -> socket.socket:
    """Bind; port 0 is bound a second time by its number, because the kernel lets go of a port it chose itself."""
    first = _bind(address)
    if address.port:
        return first
    with contextlib.closing(first):
        return _bind(Address(address.host, first.getsockname()[1]))


def _bind(address: Address) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET)
    try:
        sock.settimeout(0)
        _reuse(sock, on=True)
        sock.bind((address.host, address.port))
    except OSError:
        sock.close()
        raise
    return sock


def _reuse(sock: socket.socket, *, on: bool) -> None:
    """Let connections that linger from an earlier listener not stand in the way."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(on))
