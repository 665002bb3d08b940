"""The way out: a file's own requests as an ordinary locustfile, which plain ``locust -f`` runs without gameday."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from gameday.load.braces import any_template
from gameday.load.exporttasks import identifier, write_task, write_text
from gameday.schema.experiment import LoadProfile, Request
from gameday.spi.errors import LoadError

_REFERENCE = re.compile(r"\$\{(\w+)\}")
_CHECKING = '''

def check(answer, checks, judges_status=False):
    """Fail an answer that does not meet each check; the status decides by itself unless a check names it."""
    if not answer.status_code:
        return  # no answer: Locust knows why
    for text, holds in checks.items():
        try:
            kept = holds()
        except (AttributeError, LookupError, TypeError, ValueError):
            kept = False
        if not kept:
            answer.failure(f"does not meet {text}")
            return
    if judges_status:
        answer.success()


def member(answer, *path):
    """The member of a JSON answer; a number selects from a list."""
    found = answer.json()
    for part in path:
        found = found[int(part)] if isinstance(found, list) else found[part]
    return found
'''
_FILLING = '''

templates = Environment(undefined=StrictUndefined)
numbers = itertools.count(1)
templates.globals.update(
    DATA, environ=os.environ, pick=random.choice, randint=random.randint,
    counter=lambda: next(numbers), uuid=lambda: str(uuid.uuid4()),
)


@functools.cache
def compiled(text):
    return templates.from_string(text)


def fill(text):
    """A text with its {{ expressions }} put in."""
    return compiled(text).render()


@functools.cache
def expression(text):
    return templates.compile_expression(text, undefined_to_none=False)


def value(text):
    """The value of one expression: a number stays a number."""
    return expression(text)()
'''


def to_locustfile(profile: LoadProfile, data: Mapping[str, Sequence[Any]] | None = None) -> str:
    """Return the source of a locustfile that makes these requests, with these weights and checks.

    Secrets are read from environment variables of their names. Raises LoadError for a profile that is a locustfile already.
    """
    if profile.requests is None:
        raise LoadError(f"there is nothing to export: the load is the locustfile {profile.locustfile} already")
    return "".join(
        (
            _head(profile),
            _imports(profile),
            _data(profile, data or {}),
            _FILLING if _filled(profile) else "",
            _CHECKING if any(request.check for request in profile.requests) else "",
            _user(profile, profile.requests),
            _shape(profile) if profile.stages is not None else "",
        )
    )


def _filled(profile: LoadProfile) -> bool:
    return any_template(_texts(profile))


def _texts(profile: LoadProfile) -> list[Any]:
    """Return everything of the requests in which something may have to be put."""
    asked = [[one.path, one.json_, one.body, dict(one.headers)] for one in profile.requests or ()]
    return [profile.target, dict(profile.headers), asked]


def _secrets(profile: LoadProfile) -> list[str]:
    return sorted(set(_REFERENCE.findall(json.dumps(_texts(profile)))))


def users_for(profile: LoadProfile) -> tuple[int, float]:
    """Return how many users, each at most that often a second, ask for as much as the profile at its peak."""
    if not profile.open_model:
        return max(1, profile.peak_users), 1.0
    users = max(1, math.ceil(profile.peak_rate))
    return users, profile.peak_rate / users


def _head(profile: LoadProfile) -> str:
    users, _ = users_for(profile)
    level = "" if profile.stages else f" --users {users} --spawn-rate {min(users, 100)}"
    lines = [
        '"""Requests of an experiment as a locustfile; gameday wrote it, plain Locust runs it:',
        "",
        f"    locust -f FILE --headless{level}",
        "",
    ]
    if profile.open_model:
        lines += [
            f"The experiment asks for {profile.peak_rate:g} requests a second at its peak, whatever the system does (the open model).",
            "Locust's users wait for each answer (the closed model): when the system is slow they ask for less, and what they then do",
            "not ask for is in no statistic. Read no availability during an outage from this; gameday runs it as it was meant.",
        ]
    else:
        lines += ["Each user asks once a second at most, and waits for its answer first (the closed model)."]
    if names := _secrets(profile):
        lines += ["", f"Environment variables that it needs: {', '.join(names)}."]
    return "\n".join([*lines, '"""', "", ""])


def _imports(profile: LoadProfile) -> str:
    filled, secrets = _filled(profile), bool(_secrets(profile))
    plain = ["functools", "itertools", "os", "random", "uuid"] if filled else ["os"] if secrets else []
    names = ["FastHttpUser", "constant_throughput", "task", *(["LoadTestShape"] if profile.stages else [])]
    lines = [f"import {name}" for name in plain]
    lines += ["", *(["from jinja2 import Environment, StrictUndefined"] if filled else [])] if lines else []
    return "\n".join([*lines, f"from locust import {', '.join(sorted(names))}", ""])


def _data(profile: LoadProfile, data: Mapping[str, Sequence[Any]]) -> str:
    if not _filled(profile):
        return ""
    lists = "".join(f"    {name!r}: {list(values)!r},\n" for name, values in data.items())
    return f"\nDATA = {{\n{lists}}}\n" if lists else "\nDATA = {}\n"


def _user(profile: LoadProfile, requests: Sequence[Request]) -> str:
    timeout_s = profile.timeout / 1000
    _, each = users_for(profile)
    lines = [
        "",
        "",
        "class Load(FastHttpUser):",
        f"    host = {write_text(profile.target.rstrip('/'))}",
        f"    wait_time = constant_throughput({each:g})  # requests per second of each user, at most",
        f"    connection_timeout = network_timeout = {timeout_s:g}",
        f"    insecure = {not profile.verify_tls}",
    ]
    names: set[str] = set()
    for request in requests:
        lines += ["", *write_task(request, profile.headers, identifier(request.name, names))]
    return "\n".join([*lines, ""])


def _shape(profile: LoadProfile) -> str:
    """Write the stages as Locust's own shape: users, in the number that asks for as much."""
    _, each = users_for(profile)
    factor = 1 / each if profile.open_model else 1.0
    legs = "".join(
        f"        ({piece.from_ms / 1000:g}, {piece.to_ms / 1000:g}, {piece.begin * factor:g}, {piece.end * factor:g}),\n"
        for piece in profile.curve.pieces
    )
    return f'''

class Stages(LoadTestShape):
    """Users from one time to another, in seconds, linear in between; the load ends with the last."""

    legs = [
{legs}    ]

    def tick(self):
        now = self.get_run_time()
        for start, end, first, last in self.legs:
            if now < end:
                return round(first + (last - first) * (now - start) / (end - start)), 100
        return None
'''
