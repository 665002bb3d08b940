"""What the load needs of this machine, asked before anything starts."""

from __future__ import annotations

import resource
import socket

from gameday.schema.experiment import LoadProfile
from gameday.spi.errors import LoadError

_OWN_FILES = 64
"""Files that the child needs beside its connections: pipes, libraries, the event loop, a name resolver."""


def open_files_needed(profile: LoadProfile) -> int:
    """Return how many files the load child may have open at once: one for each request in flight, and its own."""
    return profile.cap + _OWN_FILES


def check_open_files(profile: LoadProfile) -> None:
    """Raise LoadError when the hard limit of open files (RLIMIT_NOFILE) is smaller than what the profile needs."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    needed = open_files_needed(profile)
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise LoadError(
            f"the load may have {profile.cap} requests in flight and needs {needed} open files; this machine allows {hard}",
            hint="raise the hard limit (ulimit -Hn), or lower load.rate, load.timeout or load.max_in_flight",
        )


def check_port(host: str, port: int) -> None:
    """Raise LoadError when nobody could listen at ``host`` and ``port``, where the workers are to connect."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
    except OSError as error:
        raise LoadError(
            f"the workers cannot be awaited at {host}:{port}: {error.strerror or error}",
            hint="end what listens there, or choose another load.workers.port",
        ) from None
