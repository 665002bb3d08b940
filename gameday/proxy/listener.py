"""A listening port that can refuse connections and come back, without anyone taking it meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable

from gameday.proxy.address import Address
from gameday.proxy.sockets import reset_on_close

OnSocket = Callable[[socket.socket, Address], None]
"""Takes an accepted socket and the address of its other side."""
_BACKLOG = 4096
_BATCH = 64
"""Connections accepted in one go, so that a burst does not starve the open ones."""
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_REST_SECONDS = 0.25
_FILLERS = 2
"""Connections that fill a queue of length 0: it takes one, and a second one that waits shows that it is full."""
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - to reach ourselves, not to listen


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
        self._fillers: list[socket.socket] = []
        """Our own connections to ourselves that keep the queue of a deaf port full."""
        self._discard: set[int] = set()
        """Ports from which such connections came, and may still stand in the queue."""
        try:
            self.listen()
        except OSError:
            self._socket.close()
            raise

    def listen(self) -> None:
        """Accept connections from now on."""
        if not self._listening:
            self._drop_fillers()
            _reuse(self._socket, on=True)
            self._socket.listen(_BACKLOG)
            self._listening = True
            self._watch()

    def refuse(self) -> None:
        """Refuse connections from now on."""
        if not self._listening and not self._fillers:
            return
        self._drop_fillers()
        self._unwatch()
        _reuse(self._socket, on=False)
        try:
            self._socket.shutdown(socket.SHUT_RD)
        except OSError:  # not Linux
            self._socket.close()
            self._socket = _bound(self.address)

    def go_deaf(self) -> None:
        """Answer nobody from now on, as a host that is gone: accept nothing, and have no room for a connection to wait.

        Linux drops the first packet of a connection for which the queue has no room, so that the client tries again in vain. Where
        it does not, or a client has come first, connections are made and never answered.
        """
        if self._fillers:
            return
        self.listen()
        self._unwatch()
        self._discard.clear()
        self._socket.listen(0)
        host = _ANY.get(self.address.host, self.address.host)
        for _ in range(_FILLERS):
            filler = socket.socket(self._socket.family)
            filler.setblocking(False)  # noqa: FBT003 - positional in the standard library
            self._fillers.append(filler)
            filler.connect_ex((host, self.address.port))

    def close(self) -> None:
        """Give the port back."""
        self._drop_fillers()
        self._unwatch()
        self._socket.close()

    def _drop_fillers(self) -> None:
        for filler in self._fillers:
            with contextlib.suppress(OSError):  # one that never got in has no other end
                filler.getpeername()
                self._discard.add(filler.getsockname()[1])
            reset_on_close(filler)
            filler.close()
        self._fillers.clear()

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
            if peer[1] in self._discard:
                self._discard.discard(peer[1])
                sock.close()
                continue
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
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    sock = socket.socket(
        family, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )  # asyncio sets TCP_NODELAY only where it reads TCP here
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
