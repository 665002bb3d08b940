"""A gauge from Redis: the length of a list, set, sorted set, stream or hash, a number under a key, or a field of INFO."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from gameday.spi import DriverError, ProbeError, QueryError, World
from gameday.spi.probe import READ_MS
from gameday_drivers.deadline import Deadline
from gameday_drivers.numbers import read_number
from gameday_drivers.redis_wire import SCHEMES, Redis, Reply, ReplyError, connected, database_of
from gameday_drivers.secret_url import Opened, check_url, open_url

LENGTHS = ("llen", "scard", "zcard", "xlen", "hlen")
_WHAT = (*LENGTHS, "get", "info")
_EXAMPLE = "redis://127.0.0.1:6379/0"
_PASSING = frozenset(("LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"))
"""Errors that go by themselves; all others are wrong questions."""


def _key(what: str) -> str:
    return field(default="", metadata={"help": what})


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisProbe:
    """Read the length of a list, set, sorted set, stream or hash of Redis, a number under a key, or a field of INFO."""

    value: str = field(
        metadata={"help": f"the server: {_EXAMPLE}, rediss://…, unix:///PATH?db=0; its password a secret"}
    )
    llen: str = _key("a key: how long its list is")
    scard: str = _key("a key: how many members its set has")
    zcard: str = _key("a key: how many members its sorted set has")
    xlen: str = _key("a key: how many entries its stream has")
    hlen: str = _key("a key: how many fields its hash has")
    get: str = _key("a key whose value is a number")
    info: str = _key("a field of INFO, like connected_clients")
    absent: Literal["no-data", "zero"] = field(
        default="no-data", metadata={"help": "what a key that is not there means; Redis drops a list when it is empty"}
    )
    timeout_: int = field(
        default=READ_MS, metadata={"unit": "duration", "min": 1, "help": "how long one read may take"}
    )

    name = "redis"

    def __post_init__(self) -> None:
        url = check_url("value", self.value, _EXAMPLE)
        if url is not None:
            _check_scheme(url.scheme)
        given = [name for name in _WHAT if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(
                f"value needs exactly one of {', '.join(_WHAT)} beside it; write {{redis: URL, llen: jobs}}"
            )
        if self.info and self.absent == "zero":
            raise ValueError("absent is for keys, and a field of INFO is none; remove it")

    @property
    def timeout(self) -> float:
        """Seconds for connecting and asking."""
        return self.timeout_ / 1000

    def read(self, world: World) -> float:
        """Return the number; a replica that has lost its master is no source, whatever it says."""
        try:
            url = open_url(self.value, world.secrets)
            _check_scheme(url.scheme)
            database_of(url)
        except DriverError as error:
            raise ProbeError(str(error)) from None
        except ValueError as error:
            raise QueryError(world.secrets.mask(f"value {error}")) from None
        deadline = Deadline.after(self.timeout)
        try:
            with connected(url, deadline) as redis:
                _refuse_stale(redis)
                return self._number(redis)
        except TimeoutError:
            raise ProbeError(f"{url.shown}: no answer within {self.timeout:g} s") from None
        except OSError as error:
            raise ProbeError(f"{url.shown}: {url.mask(error.strerror or str(error))}") from None
        except ReplyError as error:
            kind = ProbeError if error.code in _PASSING else QueryError
            raise kind(f"{url.shown}: {_said(url, world, error)}") from None
        except (ValueError, RecursionError) as error:
            raise QueryError(f"{url.shown}: {_said(url, world, error)}") from None

    def _number(self, redis: Redis) -> float:
        if self.info:
            return _field(redis.ask("INFO"), self.info)
        command = next(name for name in _WHAT if getattr(self, name))
        key: str = getattr(self, command)
        found = redis.ask(command.upper(), key)
        if not found and found != b"" and not redis.ask("EXISTS", key):
            return self._absent(key)
        if command == "get":
            if not isinstance(found, bytes):
                return self._absent(key)
            return read_number(found)
        if not isinstance(found, int):
            raise ValueError(f"it answers {command.upper()} with {found!r:.60}, which is no length")  # noqa: TRY004 - data
        return float(found)

    def _absent(self, key: str) -> float:
        if self.absent == "zero":
            return 0.0
        raise ProbeError(f"there is no key {key!r:.80}; where that means 0, as with an empty list, write absent: zero")


def _check_scheme(scheme: str) -> None:
    if scheme not in SCHEMES:
        raise ValueError(f"value is no URL of a Redis server: {scheme[:20]}://; write one like {_EXAMPLE}")


def _said(url: Opened, world: World, error: Exception) -> str:
    return url.mask(world.secrets.mask(str(error)))


def _refuse_stale(redis: Redis) -> None:
    """Raise ProbeError for a replica that has lost its master: it goes on to answer with what it last had."""
    role = redis.ask("ROLE")
    if isinstance(role, list) and len(role) > 3 and role[0] == b"slave" and role[3] != b"connected":  # noqa: PLR2004 - ROLE
        raise ProbeError("it is a replica without its master: what it has is stale")


def _field(info: Reply, name: str) -> float:
    text = info if isinstance(info, bytes) else b""
    fields = dict(line.split(b":", 1) for line in text.splitlines() if b":" in line and not line.startswith(b"#"))
    found = fields.get(name.encode())
    if found is None:
        raise ValueError(f"INFO has no field {name!r:.80}")
    return read_number(found)
