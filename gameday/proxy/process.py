"""What every proxy process does, whoever started it: its event loop, its control port, its limits, its crashes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
from collections.abc import Callable, Coroutine
from typing import Any

from gameday.proxy.address import Address
from gameday.proxy.api import Api
from gameday.proxy.config import ConfigError
from gameday.proxy.control import ControlServer
from gameday.proxy.log import Log

_DESCRIPTORS = 1_048_576


def run_on(loop: str, main: Coroutine[Any, Any, None]) -> None:
    """Run to its end on one of LOOPS; raises ConfigError when ``uvloop`` is asked for and the extra is not installed."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if loop != "asyncio":
        try:
            import uvloop  # noqa: PLC0415 - an extra

            factory = uvloop.new_event_loop
        except ImportError as error:
            if loop == "uvloop":
                main.close()
                raise ConfigError("uvloop is not installed: pip install 'gameday-runner[uvloop]'") from error
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)


async def start_control(api: Api, address: Address) -> Address:
    """Open the control port; return its address with the port resolved. Raises ConfigError."""
    try:
        return await ControlServer(api).start(address)
    except OSError as error:
        raise ConfigError(f"control: listen {address}: {os.strerror(error.errno or 0)}") from error


def log_crashes(log: Log) -> None:
    """Write what nobody caught as an event: one connection's trouble is no reason to stop."""

    def crashed(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        log.event("error", message=str(context.get("message", "")), error=repr(error) if error is not None else "")

    asyncio.get_running_loop().set_exception_handler(crashed)
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of every write to a client that has gone


def raise_descriptor_limit() -> None:
    """Two descriptors for each connection: the usual soft limit of 1024 would end at 500."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
