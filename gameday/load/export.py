"""The way out: a file's own requests as an ordinary locustfile, which plain ``locust -f`` runs without gameday."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from keyword import iskeyword
from typing import Any

from gameday.load.braces import any_template, is_template
from gameday.load.shapes import is_list, is_object
from gameday.schema.checks import Check, parse_check
from gameday.schema.experiment import LoadProfile, Request
from gameday.spi.errors import LoadError

_REFERENCE = re.compile(r"\$\{(\w+)\}")
_ALONE = re.compile(r"\s*\{\{((?:(?!\{\{|\}\}).)*)\}\}\s*", re.DOTALL)
_WORD = re.compile(r"\W+")
_TAKEN = frozenset(
    """abstract client client_pool concurrency connection_timeout context default_headers environment fixed_count fullname greenlet
    group host insecure json max_redirects max_retries max_wait min_wait network_timeout on_start on_stop proxy_host proxy_port
    rest rest_ run ssl_context_factory start stop tasks wait wait_function wait_time weight""".split()  # noqa: SIM905 - to be read
)
"""What a FastHttpUser has under these names already."""
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
        f"    host = {_text(profile.target.rstrip('/'))}",
        f"    wait_time = constant_throughput({each:g})  # requests per second of each user, at most",
        f"    connection_timeout = network_timeout = {timeout_s:g}",
        f"    insecure = {not profile.verify_tls}",
    ]
    names: set[str] = set()
    for request in requests:
        lines += ["", *_task(request, profile.headers, _identifier(request.name, names))]
    return "\n".join([*lines, ""])


def _identifier(name: str, taken: set[str]) -> str:
    word = _WORD.sub("_", name.lower()).strip("_")
    if not word.isidentifier() or iskeyword(word) or word in _TAKEN:
        word = f"request_{word}"
    unique = word
    while unique in taken:
        unique += "_"
    taken.add(unique)
    return unique


def _task(request: Request, common: Mapping[str, str], name: str) -> list[str]:
    checks = [parse_check(text) for text in request.check]
    arguments = [repr(request.method.upper()), _text(request.path), f"name={request.name!r}", "allow_redirects=False"]
    if request.json_ is not None:
        arguments.append(f"json={_literal(request.json_)}")
    elif request.body is not None:
        arguments.append(f"data={_text(request.body)}")
    if headers := {**common, **request.headers}:
        arguments.append(f"headers={_literal(headers)}")
    call = f"self.client.request({', '.join(arguments)}"
    lines = [f"    @task({request.weight})", f"    def {name}(self):"]
    if not checks:
        return [*lines, f"        {call})"]
    judges = ", judges_status=True" if any(one.subject == "status" for one in checks) else ""
    conditions = [f"                {one.text!r}: lambda: {_condition(one)}," for one in checks]
    return [
        *lines,
        f"        with {call}, catch_response=True) as answer:",
        "            check(answer, {",
        *conditions,
        f"            }}{judges})",
    ]


def _condition(check: Check) -> str:
    match check.subject:
        case "status":
            left = "answer.status_code"
        case "json":
            left = f"member(answer, {', '.join(map(repr, check.path))})"
        case "header":
            left = f"answer.headers[{check.path[0]!r}]"
        case "body":
            left = "answer.text"
        case _:
            return f"answer.request_meta['response_time'] {check.op} {int(check.value or 0) / 1000:g}"
    return f"{check.value!r} in {left}" if check.op == "contains" else f"{left} {check.op} {check.value!r}"


def _literal(value: Any) -> str:
    """Write a JSON value as Python, its texts with what is put into them."""
    if isinstance(value, str):
        return _text(value)
    if is_list(value):
        return f"[{', '.join(map(_literal, value))}]"
    if is_object(value):
        return f"{{{', '.join(f'{key!r}: {_literal(item)}' for key, item in value.items())}}}"
    return repr(value)


def _text(text: str) -> str:
    """Write a text as Python: as it is, joined with environment variables, or filled when it is sent."""
    if is_template(text):
        if (alone := _ALONE.fullmatch(text)) and not _REFERENCE.search(text):
            return f"value({alone[1].strip()!r})"
        return f"fill({_REFERENCE.sub(_environ, text)!r})"
    parts = _REFERENCE.split(text)
    written = [f"os.environ[{part!r}]" if n % 2 else repr(part) for n, part in enumerate(parts) if part]
    return " + ".join(written) or "''"


def _environ(match: re.Match[str]) -> str:
    return "{{ environ['" + match[1] + "'] }}"


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
