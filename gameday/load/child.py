"""The load generator's process: ``python -m gameday.load.child``, started by gameday.load.generator and by nothing else.

It reads one JSON line of configuration from standard input, makes the load that it asks for, writes the messages of gameday.load.protocol
to the descriptor ``out_fd``, and takes commands from standard input, a JSON line each: ``{"cmd": "start", "at_ms": N}``, ``{"cmd": "rate",
"rate": R, "at_ms": N}``, ``{"cmd": "users", "users": N, "at_ms": N}`` and ``{"cmd": "stop"}``, each answered by an ``ack``. The end of
standard input is its own end.

A file's own requests run inside Locust as a library (gameday.load.session); a locustfile runs by Locust's own main
(gameday.load.locustmain); several processes of either are children of a hub (gameday.load.hub), except users of a locustfile, which
Locust itself distributes. No ~/.locust.conf, locust.conf, pyproject.toml or inherited LOCUST_* variable is ever read.
"""

from __future__ import annotations

import gc
import json
import os
import time
from typing import Any

from gameday.load.tether import die_with_parent, go_first, leave_unless_child_of, raise_open_files

_CONFIG_LIMIT = 16 * 1024 * 1024


def read_config() -> dict[str, Any]:
    """Read the first line of standard input; no command comes before we have said ready."""
    data = b""
    while not data.endswith(b"\n"):
        chunk = os.read(0, 65_536)
        if not chunk or len(data) > _CONFIG_LIMIT:
            os._exit(2)
        data += chunk
    return dict(json.loads(data))


def main() -> None:
    """Run the load generator; never returns."""
    began = time.monotonic()
    die_with_parent()
    config = read_config()
    leave_unless_child_of(config["parent_pid"])
    raise_open_files()
    go_first()
    if config["processes"] > 1 and (config["open"] or config["locust"] is None):
        _hub(config, began)
    elif config["locust"] is not None:
        _locustfile(config, began)
    else:
        _requests(config, began)


def _hub(config: dict[str, Any], began: float) -> None:
    from gameday.load.hub import Hub  # noqa: PLC0415 - imports gevent

    Hub(config).run(boot_s=time.monotonic() - began)


def _locustfile(config: dict[str, Any], began: float) -> None:
    os.environ.update(config["locust"]["env"])
    from gameday.load.locustmain import run_locust  # noqa: PLC0415 - imports locust, which patches the whole process

    run_locust(config, began=began)


def _requests(config: dict[str, Any], began: float) -> None:
    from gameday.load.session import Session  # noqa: PLC0415 - imports locust, which patches the whole process

    session = Session(config)
    gc.collect()
    gc.freeze()
    session.run(boot_s=time.monotonic() - began)


if __name__ == "__main__":
    main()
