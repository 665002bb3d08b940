"""Whether a process under ``system:`` is ready, as its file says how it shows that."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.error import URLError

from gameday.model import Json
from gameday.spi.children import run_child
from gameday.spi.errors import DriverError
from gameday.spi.world import ProcessSpec

ATTEMPT_SECONDS = 1.0
"""How long one try may take."""


def why_not_ready(spec: ProcessSpec, ready: Json, *, log_from: int = 0) -> str:
    """Try once what ``ready`` has, one of ``http``, ``tcp``, ``log`` and ``command``; return why it is not ready, or nothing.

    Of its log, what was written from byte ``log_from`` on counts.
    """
    if ready.get("http") is not None:
        return _try_http(str(ready["http"]))
    if ready.get("tcp") is not None:
        return _try_tcp(str(ready["tcp"]))
    if ready.get("log") is not None:
        found = re.search(str(ready["log"]), _read(spec.log, log_from), re.MULTILINE)
        return "" if found else f"no line of its log matches {ready['log']}"
    try:
        done = run_child(tuple(ready.get("command") or ()), timeout=ATTEMPT_SECONDS, cwd=spec.cwd)
    except DriverError as error:
        return str(error)
    return "" if done.code == 0 else f"its command exits {done.code}"


def log_size(spec: ProcessSpec) -> int:
    """Return how many bytes its log has now."""
    try:
        return Path(spec.log).stat().st_size if spec.log else 0
    except OSError:
        return 0


def _read(log: str, begin: int) -> str:
    try:
        with Path(log).open("rb") as file:
            file.seek(begin)
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _try_http(url: str) -> str:
    from urllib.request import ProxyHandler, build_opener  # noqa: PLC0415 - only here

    try:
        with build_opener(ProxyHandler({})).open(url, timeout=ATTEMPT_SECONDS) as response:
            return "" if response.status < 300 else f"{url} answers {response.status}"  # noqa: PLR2004 - 2xx
    except (URLError, OSError, ValueError) as error:
        return f"{url}: {getattr(error, 'reason', error)}"


def _try_tcp(address: str) -> str:
    import socket  # noqa: PLC0415 - only here

    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=ATTEMPT_SECONDS):
            return ""
    except (OSError, ValueError) as error:
        return f"{address}: {error}"
