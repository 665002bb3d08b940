"""What is sent: each request of the child's configuration as bytes, once and before anything starts; one with templates, anew each time.

Secrets are already put in, so no value of a header, a path or a body ever appears in an error text.
Redirects are not followed: a 3xx is the answer, ``ok`` unless a check says otherwise, so that each arrival is one request and no
load is led to a host that nobody allowed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import SplitResult, urlsplit

from gameday.load.braces import any_template, placeheld
from gameday.load.hosts import host_patterns, may_load
from gameday.spi.checks import Check, parse_check
from gameday.spi.errors import LoadError

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(r"[\x21-\x7e]+")
_PORTS = {"http": 80, "https": 443}
_BODIED = ("post", "put", "patch")
_FRAMING = frozenset(("content-length", "transfer-encoding", "connection"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a connection goes."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """As the Host header writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WireRequest:
    """One kind of request, ready to be sent."""

    name: str
    weight: int
    method: str
    """In upper case."""
    origin: Origin
    data: bytes
    """Head and body."""
    checks: tuple[Check, ...] = ()
    render: Callable[[], WireRequest] | None = None
    """What makes the request that is really sent, where it has templates; raises LoadError."""

    @property
    def judges_status(self) -> bool:
        """Whether a check names the status, so that 4xx and 5xx are not failures by themselves."""
        return any(check.subject == "status" for check in self.checks)


Compile = Callable[[Any, str], Callable[[], Any]]
"""Turns a JSON value with templates into what renders it: see gameday.load.templates."""


def compile_requests(config: Mapping[str, Any], compiler: Compile | None = None) -> tuple[WireRequest, ...]:
    """Turn the configuration into bytes; raise LoadError when a request cannot be sent or leaves the allowed hosts.

    Without a ``compiler`` templates are only looked at: a zero stands for whatever they become.
    """
    target = _split(config["target"], "load.target")
    writer = _Writer(target=target, patterns=host_patterns(config), common=config["headers"])
    return tuple(writer.prepare(raw, compiler) for raw in config["requests"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    """Writes requests of one load."""

    target: SplitResult
    patterns: Sequence[str]
    """Of hosts that may be loaded."""
    common: Mapping[str, str]
    """Headers of every request."""

    def prepare(self, raw: Mapping[str, Any], compiler: Compile | None) -> WireRequest:
        where = f"the request {raw['name']!r}"
        varying = {"path": raw["path"], "json": raw["json"], "body": raw["body"]}
        varying["headers"] = {**self.common, **raw["headers"]}
        if not any_template(varying):
            return self.write(where, {**raw, **varying})
        example = self.write(where, {**raw, **placeheld(varying, where)})
        if compiler is None:
            return example
        values = compiler(varying, where)
        checks = example.checks
        return replace(example, render=lambda: self.write(where, {**raw, **values()}, checks))

    def write(self, where: str, raw: Mapping[str, Any], checks: tuple[Check, ...] | None = None) -> WireRequest:
        """Write one request as it is sent."""
        path = str(raw["path"])
        absolute = path.startswith(("http://", "https://"))
        url = _split(path, where) if absolute else self.target
        origin = Origin(scheme=url.scheme, host=url.hostname or "", port=url.port or _PORTS[url.scheme])
        if not may_load(origin.host, self.patterns):
            raise LoadError(
                f"{where} would load the host {origin.host}", hint="list it under load.allow_hosts if it may be loaded"
            )
        line = _target(url, "" if absolute else path)
        if not _TARGET.fullmatch(line):
            raise LoadError(
                f"{where} has a path with spaces, control or non-ASCII characters", hint="percent-encode it"
            )
        body, content_type = _body(raw)
        head = _head(where, raw["headers"], origin, content_type)
        if body or raw["method"] in _BODIED:
            head += f"Content-Length: {len(body)}\r\n"
        method = str(raw["method"]).upper()
        return WireRequest(
            name=str(raw["name"]),
            weight=int(raw["weight"]),
            method=method,
            origin=origin,
            data=f"{method} {line} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body,
            checks=tuple(parse_check(text) for text in raw["check"]) if checks is None else checks,
        )


def _split(url: str, where: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise LoadError(f"{where} is no URL") from None
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise LoadError(f"{where} is no URL of http:// or https:// and a host")
    if parts.username is not None or parts.password is not None:
        raise LoadError(f"{where} holds a user name or a password", hint="send an Authorization header instead")
    return parts


def _target(url: SplitResult, path: str) -> str:
    """Join the base URL's path and a request's path; a query belongs to the last of them, a fragment is never sent."""
    if path:
        return (url.path.rstrip("/") + "/" + path.lstrip("/")).partition("#")[0]
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


def _body(raw: Mapping[str, Any]) -> tuple[bytes, str | None]:
    if raw["json"] is not None:
        return json.dumps(raw["json"], ensure_ascii=False, separators=(",", ":")).encode(), "application/json"
    return str(raw["body"] or "").encode(), None


def _head(where: str, headers: Mapping[str, str], origin: Origin, content_type: str | None) -> str:
    """Write the header lines; a header of the file wins over ours, whatever its case."""
    lines = {"host": f"Host: {origin.authority}", "user-agent": "User-Agent: gameday", "accept": "Accept: */*"}
    if content_type:
        lines["content-type"] = f"Content-Type: {content_type}"
    for name, text in headers.items():
        value = str(text)
        if not _TOKEN.fullmatch(name) or name.lower() in _FRAMING:
            raise LoadError(f"{where} cannot send the header {name!r}")
        if not _VALUE.fullmatch(value):
            raise LoadError(f"{where} has a header {name!r} with a line break or characters outside Latin-1")
        lines[name.lower()] = f"{name}: {value}"
    return "".join(line + "\r\n" for line in lines.values())
