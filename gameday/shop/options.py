"""The switches of the command line, and what they build."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable

from gameday.shop.breaker import Breaker
from gameday.shop.client import Client
from gameday.shop.dependency import Dependency, Protection
from gameday.shop.log import Log
from gameday.shop.metrics import Metrics
from gameday.shop.retry import Retry, RetryBudget

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m)")
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)%")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}
_NONE = "none"


def duration(text: str) -> float:
    """Read ``300ms``, ``10s`` or ``1m`` as seconds."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"not a duration like 300ms or 10s: {text!r}")
    return float(match[1]) * _SECONDS[match[2]]


def timeout(text: str) -> float | None:
    """Read a duration, or ``none``: wait for ever."""
    return None if text == _NONE else duration(text)


def retry(text: str) -> Retry:
    """Read ``COUNT/BACKOFF`` (``2/50ms``), or ``none``."""
    if text == _NONE:
        return Retry()
    count, seconds = _pair(text, "2/50ms")
    return Retry(count=count, backoff=seconds)


def retry_budget(text: str) -> Callable[[], RetryBudget] | None:
    """Read ``10%`` as what makes such a budget, or ``none``: every retry is allowed."""
    if text == _NONE:
        return None
    match = _PERCENT.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"not {_NONE} or a share of the calls like 10%: {text!r}")
    share = float(match[1]) / 100
    return lambda: RetryBudget(share=share)


def breaker_rule(text: str) -> Callable[[], Breaker] | None:
    """Read ``FAILURES/OPEN`` (``5/10s``) as what makes such a breaker, or ``none``."""
    if text == _NONE:
        return None
    failures, seconds = _pair(text, "5/10s")
    return lambda: Breaker(failures=failures, open_seconds=seconds)


def number(text: str) -> int:
    """Read a number of things, at least one."""
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"not a number of at least 1: {text!r}")
    return int(text)


def limit(text: str) -> int | None:
    """Read a number of at least one, or ``none``: no limit."""
    return None if text == _NONE else number(text)


def client(text: str) -> Callable[[], Client]:
    """Read a base URL as what makes a client for it."""
    try:
        Client(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return lambda: Client(text)


def _pair(text: str, like: str) -> tuple[int, float]:
    count, slash, rest = text.partition("/")
    if not slash or not (count.isascii() and count.isdigit()) or int(count) < 1:
        raise argparse.ArgumentTypeError(f"not {_NONE} or a number and a duration like {like}: {text!r}")
    return int(count), duration(rest)


def parser(service: str, purpose: str) -> argparse.ArgumentParser:
    """Every part of the shop listens somewhere."""
    result = argparse.ArgumentParser(prog=f"python -m gameday.shop.{service}", description=purpose)
    result.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    result.add_argument(
        "--port", type=int, default=0, help="port to listen on (default: a free one, named in the first log line)"
    )
    return result


def add_dependency(into: argparse.ArgumentParser, name: str, *, required: bool = True) -> None:
    """Add where a dependency is and how the caller protects itself; by default, it does not."""
    group = into.add_argument_group(name)
    group.add_argument(f"--{name}", type=client, required=required, metavar="URL", help=f"base URL of {name}")
    group.add_argument(
        f"--{name}-timeout", type=timeout, default=None, metavar="300ms", help="limit of one attempt (default: none)"
    )
    group.add_argument(
        f"--{name}-at-once",
        type=limit,
        default=None,
        metavar="N",
        help="calls that may wait for it; more fail at once (default: no limit)",
    )
    group.add_argument(
        f"--{name}-retry",
        type=retry,
        default=Retry(),
        metavar="2/50ms",
        help="retries and first backoff (default: none)",
    )
    group.add_argument(
        f"--{name}-retry-budget",
        type=retry_budget,
        default=None,
        metavar="PERCENT",
        help="largest share of calls that may be retries (default: no limit)",
    )
    group.add_argument(
        f"--{name}-breaker",
        type=breaker_rule,
        default=None,
        metavar="5/10s",
        help="failures in a row that open it, and for how long (default: none)",
    )


def dependency(options: argparse.Namespace, name: str, metrics: Metrics, log: Log) -> Dependency:
    """Build what ``add_dependency`` has read."""
    values = vars(options)
    make_breaker: Callable[[], Breaker] | None = values[f"{name}_breaker"]
    make_budget: Callable[[], RetryBudget] | None = values[f"{name}_retry_budget"]
    protection = Protection(
        timeout=values[f"{name}_timeout"],
        at_once=values[f"{name}_at_once"],
        retry=values[f"{name}_retry"],
        budget=make_budget() if make_budget else None,
        breaker=make_breaker() if make_breaker else None,
    )
    return Dependency(name, values[name](), metrics=metrics, log=log, protection=protection)
