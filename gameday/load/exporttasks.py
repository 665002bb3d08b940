"""One request as a task of a locustfile, written as Python."""

from __future__ import annotations

import re
from collections.abc import Mapping
from keyword import iskeyword
from typing import Any

from gameday.load.braces import is_template
from gameday.load.shapes import is_list, is_object
from gameday.schema.experiment import Request
from gameday.spi.checks import Check, parse_check

_REFERENCE = re.compile(r"\$\{(\w+)\}")
_ALONE = re.compile(r"\s*\{\{((?:(?!\{\{|\}\}).)*)\}\}\s*", re.DOTALL)
_WORD = re.compile(r"\W+")
_TAKEN = frozenset(
    """abstract client client_pool concurrency connection_timeout context default_headers environment fixed_count fullname greenlet
    group host insecure json max_redirects max_retries max_wait min_wait network_timeout on_start on_stop proxy_host proxy_port
    rest rest_ run ssl_context_factory start stop tasks wait wait_function wait_time weight""".split()  # noqa: SIM905 - to be read
)
"""What a FastHttpUser has under these names already."""


def identifier(name: str, taken: set[str]) -> str:
    """Return a name for a method that nothing else has, and take it."""
    word = _WORD.sub("_", name.lower()).strip("_")
    if not word.isidentifier() or iskeyword(word) or word in _TAKEN:
        word = f"request_{word}"
    unique = word
    while unique in taken:
        unique += "_"
    taken.add(unique)
    return unique


def write_task(request: Request, common: Mapping[str, str], name: str) -> list[str]:
    """Return the lines of one task: the request, and its checks."""
    checks = [parse_check(text) for text in request.check]
    arguments = [
        repr(request.method.upper()),
        write_text(request.path),
        f"name={request.name!r}",
        "allow_redirects=False",
    ]
    if request.json_ is not None:
        arguments.append(f"json={_literal(request.json_)}")
    elif request.body is not None:
        arguments.append(f"data={write_text(request.body)}")
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
        return write_text(value)
    if is_list(value):
        return f"[{', '.join(map(_literal, value))}]"
    if is_object(value):
        return f"{{{', '.join(f'{key!r}: {_literal(item)}' for key, item in value.items())}}}"
    return repr(value)


def write_text(text: str) -> str:
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
