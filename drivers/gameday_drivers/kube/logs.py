"""What the victims of a fault said last: the ends of their containers' logs, kept with the run before they are lost.

Best effort and bounded: it never fails a deed and never holds it up for longer than KEEP_SECONDS. What could not be had is said in
the file, so that no file means that nobody asked.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from gameday.spi import DriverError, World
from gameday_drivers.kube.api import Api
from gameday_drivers.kube.pods import path

KEEP_SECONDS = 3.0
"""How long all of them may take, and one request that has begun."""
MOST = 20
"""Containers whose logs are kept, of one deed."""
_LINES, _BYTES = "500", 65_536
LOGS_HELP = "keep the ends of the victims' logs with the run (victims/), of 20 containers at most"


def keep_logs(
    api: Api, world: World, namespace: str, containers: Sequence[tuple[str, str]], *, previous: bool = False
) -> None:
    """Write ``victims/FAULT/POD.CONTAINER.log`` for each (pod, container); ``previous`` is of the one before its restart.

    Nothing outside a run. Values of the run's secrets are masked.
    """
    if not world.folder:
        return
    folder, end = Path(world.folder) / "victims" / _name(world.fault), time.monotonic() + KEEP_SECONDS
    for pod, container in containers[:MOST]:
        if time.monotonic() > end:
            return
        where = folder / f"{_name(pod)}.{_name(container)}{'.previous' if previous else ''}.log"
        if where.exists():
            continue
        query = {"container": container, "tailLines": _LINES, "timestamps": "true"}
        query |= {"previous": "true"} if previous else {}
        try:
            text = api.text(f"{path(namespace, pod)}/log", query)[-_BYTES:]
        except DriverError as error:
            text = f"no logs: {error}\n"
        with suppress(OSError):
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_text(world.secrets.mask(text), encoding="utf-8")


def _name(text: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in text)[:120] or "fault"
