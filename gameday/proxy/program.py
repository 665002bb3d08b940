"""``gameday proxy``: proxies of nobody's run, which serve until they are told to end.

SIGTERM and SIGINT end it, after what has been written to its connections; SIGHUP reads the configuration file again and leaves the
connections of proxies that have not changed alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gameday.proxy.address import Address
from gameday.proxy.api import Api
from gameday.proxy.config import ConfigError, read_proxies
from gameday.proxy.errors import RefusedError
from gameday.proxy.log import Log, to_stderr
from gameday.proxy.process import log_crashes, raise_descriptor_limit, run_on, start_control
from gameday.proxy.proxies import Proxies
from gameday.proxy.proxy import API_HOLDER
from gameday.proxy.spec import ProxySpec

_FILE_LIMIT = 4 * 1024 * 1024
_FLUSH_SECONDS = 1.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the program is told at its start."""

    control: Address
    token: str = ""
    file: Path | None = None
    """Proxies as Toxiproxy's configuration file has them."""
    proxies: tuple[ProxySpec, ...] = ()
    """Proxies from flags."""
    seed: int | None = None
    loop: str = "auto"


def serve(options: Options) -> None:
    """Serve until a signal; raises ConfigError when it cannot start."""
    raise_descriptor_limit()
    run_on(options.loop, _serve(options))


def read_file(path: Path) -> tuple[ProxySpec, ...]:
    """Read a configuration file; raise ConfigError."""
    try:
        with path.open("rb") as file:
            raw = file.read(_FILE_LIMIT + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    if len(raw) > _FILE_LIMIT:
        raise ConfigError(f"{path}: more than {_FILE_LIMIT} bytes")
    try:
        specs = read_proxies(json.loads(raw), strict=True)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not JSON: {error}") from error
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    names = [spec.name for spec in specs]
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise ConfigError(f"{path}: two proxies are called {doubled!r}")
    for number, spec in enumerate(specs, 1):
        if not spec.name or not spec.upstream:
            raise ConfigError(f"{path}: proxy {number} has no {'upstream' if spec.name else 'name'}")
    return specs


async def _serve(options: Options) -> None:
    log = Log(to_stderr)
    log_crashes(log)
    proxies = Proxies(seed=options.seed, log=log)
    loaded = read_file(options.file) if options.file is not None else ()
    for spec in (*options.proxies, *loaded):
        try:
            proxies.create(spec)
        except RefusedError as error:
            raise ConfigError(f"proxy {spec.name}: {error.message}") from error
    file = File(proxies, options.file, loaded, log)
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    loop.add_signal_handler(signal.SIGHUP, file.reload)
    control = await start_control(Api(proxies, options.token), options.control)
    log.event(
        "ready", control=f"http://{control}", loop=type(loop).__module__.partition(".")[0], proxies=len(proxies.named)
    )
    await _until_told(told, proxies)
    log.event("ending", connections=proxies.connections)
    proxies.stop_listening()
    proxies.heal()
    proxies.close_links()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_FLUSH_SECONDS):
            while proxies.connections:  # noqa: ASYNC110 - only at the end, and bounded
                await asyncio.sleep(_POLL_SECONDS)


async def _until_told(told: asyncio.Event, proxies: Proxies) -> None:
    """Wait for a signal, or for ``POST /gameday/end``."""
    waits = [asyncio.create_task(told.wait()), asyncio.create_task(proxies.ending.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


class File:
    """The configuration file, and what of it is in force."""

    def __init__(self, proxies: Proxies, path: Path | None, loaded: tuple[ProxySpec, ...], log: Log) -> None:
        self._proxies = proxies
        self._path = path
        self._loaded = {spec.name: spec for spec in loaded}
        self._log = log

    def reload(self) -> None:
        """Read it again; one that cannot be read changes nothing, and a proxy that has not changed is not touched."""
        if self._path is None:
            self._log.event("reload", error="there is no --config to read again")
            return
        try:
            wanted = {spec.name: spec for spec in read_file(self._path)}
        except ConfigError as error:
            self._log.event("reload", error=str(error))
            return
        for name in [name for name in self._loaded if name not in wanted]:
            self._try(name, partial(self._proxies.delete, name))
            self._loaded.pop(name)
        for name, spec in wanted.items():
            if self._loaded.get(name) != spec and self._try(name, partial(self._bring, spec)):
                self._loaded[name] = spec
        self._log.event("reload", proxies=len(wanted))

    def _bring(self, spec: ProxySpec) -> None:
        """Bring one proxy in line."""
        before, proxy = self._loaded.get(spec.name), self._proxies.named.get(spec.name)
        if proxy is None or before is None or before.tls != spec.tls:
            self._proxies.replace(spec)
            return
        if not before.same_way(spec):
            self._proxies.move(proxy, spec.listen, spec.upstream)
        if spec.enabled and not before.enabled:
            proxy.release(API_HOLDER)
        elif not spec.enabled:
            proxy.hold_down(API_HOLDER)

    def _try(self, name: str, act: Callable[[], None]) -> bool:
        try:
            act()
        except RefusedError as error:
            self._log.event("reload", proxy=name, error=error.message)
            return False
        return True
