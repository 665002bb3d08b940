"""Requests as bytes, and what is refused before anything starts."""

from __future__ import annotations

import errno
import resource
import socket
import ssl
from http.client import HTTPException
from typing import Any

import pytest

from gameday.load.config import profile_config
from gameday.load.limits import check_open_files, open_files_needed
from gameday.load.outcomes import OversizedError, TooLateError, kind_of_answer, kind_of_error
from gameday.load.preflight import load_config
from gameday.load.wire import Origin, compile_requests
from gameday.spi.checks import Answer
from gameday.spi.errors import LoadError
from gameday.spi.world import Secrets
from tests.fakes.load_run import profile


def compiled(request: dict[str, Any], target: str = "http://shop:8080", **more: Any) -> Any:
    return compile_requests(profile_config(profile(target, "10/s", [{"name": "r", **request}], **more), str))[0]


def lines(request: Any) -> list[str]:
    head: str = request.data.decode("latin-1").partition("\r\n\r\n")[0]
    return head.split("\r\n")


def test_a_get() -> None:
    request = compiled({"get": "/a?b=c#d"})
    assert request.origin == Origin(scheme="http", host="shop", port=8080)
    assert request.data == b"GET /a?b=c HTTP/1.1\r\nHost: shop:8080\r\nUser-Agent: gameday\r\nAccept: */*\r\n\r\n"


def test_a_post_of_json() -> None:
    request = compiled({"post": "/a", "json": {"name": "käse", "n": [1, None]}})
    body = '{"name":"käse","n":[1,null]}'.encode()
    assert request.data.endswith(b"\r\n\r\n" + body)
    assert f"Content-Length: {len(body)}" in lines(request)
    assert "Content-Type: application/json" in lines(request)


def test_a_post_without_a_body_says_so() -> None:
    assert "Content-Length: 0" in lines(compiled({"post": "/a"}))
    assert not any(line.startswith("Content-Length") for line in lines(compiled({"delete": "/a"})))


def test_headers_of_the_request_win_over_those_of_the_load_and_ours() -> None:
    request = compiled(
        {"post": "/a", "json": 1, "headers": {"x-a": "request", "content-type": "text/plain", "Host": "other"}},
        headers={"X-A": "load", "X-B": "b", "user-agent": "me"},
    )
    found = lines(request)[1:]
    assert sorted(found) == [
        "Accept: */*",
        "Content-Length: 1",
        "Host: other",
        "X-B: b",
        "content-type: text/plain",
        "user-agent: me",
        "x-a: request",
    ]


@pytest.mark.parametrize(
    ("target", "path", "line"),
    [
        ("http://shop", "/a", "/a"),
        ("http://shop/", "/a", "/a"),
        ("http://shop/api/", "/a", "/api/a"),
        ("http://shop/api", "http://shop", "/"),
        ("https://shop", "https://shop/x?y=1", "/x?y=1"),
    ],
)
def test_paths_are_below_the_target(target: str, path: str, line: str) -> None:
    assert lines(compiled({"get": path}, target))[0] == f"GET {line} HTTP/1.1"


def test_hosts_and_ports() -> None:
    assert "Host: shop" in lines(compiled({"get": "/"}, "https://shop:443"))
    v6 = compiled({"get": "/"}, "http://[::1]:81")
    assert v6.origin.host == "::1"
    assert "Host: [::1]:81" in lines(v6)


def test_only_the_targets_host_is_loaded_unless_others_are_allowed() -> None:
    with pytest.raises(LoadError, match=r"load the host prod.example.com"):
        compiled({"get": "http://prod.example.com/"})
    assert compiled({"get": "http://a.staging.test/"}, allow_hosts=["*.staging.test"]).origin.host == "a.staging.test"
    with pytest.raises(LoadError, match="load the host shop"):
        compiled({"get": "/"}, allow_hosts=["*.staging.test"])


@pytest.mark.parametrize(
    ("change", "target", "says"),
    [
        ({"path": "/a b"}, "http://shop", "percent-encode"),
        ({"path": "/ä"}, "http://shop", "percent-encode"),
        ({"path": "/s3cr3t\r\nX: y"}, "http://shop", "percent-encode"),
        ({}, "ftp://shop", "no URL of http"),
        ({}, "shop:8080", "no URL of http"),
        ({}, "http://shop:99999", "no URL"),
        ({}, "http://[::1", "no URL"),
        ({}, "http://me:s3cr3t@shop", "Authorization header"),
        ({"headers": {"A b": "c"}}, "http://shop", "cannot send the header 'A b'"),
        ({"headers": {"Content-Length": "5"}}, "http://shop", "cannot send the header"),
        ({"headers": {"X": "s3cr3t\r\nY: z"}}, "http://shop", "line break"),
        ({"headers": {"X": "s3cr3t \u20ac"}}, "http://shop", "outside Latin-1"),
    ],
)
def test_what_cannot_be_sent_is_refused_without_showing_values(change: dict[str, Any], target: str, says: str) -> None:
    """The schema refuses most of this; what a secret brings in only shows here."""
    config = profile_config(profile("http://shop", "10/s", [{"name": "r", "get": "/"}]), str)
    config["target"] = target
    config["requests"][0].update(change)
    with pytest.raises(LoadError) as caught:
        compile_requests(config)
    assert says in f"{caught.value} {caught.value.hint}"
    assert "s3cr3t" not in f"{caught.value} {caught.value.hint}"


def test_secrets_are_put_in_everywhere_and_a_missing_one_is_named() -> None:
    load = profile(
        "http://shop",
        "1/s",
        [{"name": "r", "post": "/${s}", "json": {"a": ["${s}", {"b": "x${s}"}], "n": 1}, "headers": {"B": "${s}"}}],
        headers={"A": "${s}"},
    )
    config = load_config(load, Secrets(values={"s": "v"}))
    assert config["headers"] == {"A": "v"}
    assert config["requests"][0]["path"] == "/v"
    assert config["requests"][0]["json"] == {"a": ["v", {"b": "xv"}], "n": 1}
    assert config["requests"][0]["headers"] == {"B": "v"}
    with pytest.raises(LoadError, match="'s' is not set"):
        load_config(load, Secrets())


def test_more_files_than_this_machine_allows_are_refused_before_the_start() -> None:
    load = profile("http://shop", "10/s", [{"name": "r", "get": "/"}], max_in_flight=1000)
    assert open_files_needed(load) > 1000
    check_open_files(load)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        return
    greedy = profile("http://shop", "10/s", [{"name": "r", "get": "/"}], max_in_flight=hard)
    with pytest.raises(LoadError, match="open files") as caught:
        load_config(greedy, Secrets())
    assert "ulimit" in caught.value.hint


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), "timeout"),
        (OSError(errno.ETIMEDOUT, ""), "timeout"),
        (ConnectionRefusedError(), "refused"),
        (ConnectionResetError(), "reset"),
        (BrokenPipeError(), "reset"),
        (socket.gaierror(-2, "no name"), "dns"),
        (ssl.SSLCertVerificationError(), "tls"),
        (ssl.SSLError(), "tls"),
        (ssl.SSLEOFError(), "reset"),
        (OSError(errno.EMFILE, ""), "generator"),
        (OSError(errno.EADDRNOTAVAIL, ""), "generator"),
        (OSError(errno.ENOBUFS, ""), "generator"),
        (TooLateError(), "generator"),
        (OSError(errno.EHOSTUNREACH, ""), "other"),
        (HTTPException(), "other"),
        (OversizedError(), "other"),
    ],
)
def test_kinds_of_errors(error: Exception, kind: str) -> None:
    assert kind_of_error(error) == kind


@pytest.mark.parametrize(
    ("checks", "status", "kind"),
    [
        ([], 200, "ok"),
        ([], 302, "ok"),
        ([], 404, "http_4xx"),
        ([], 500, "http_5xx"),
        (["status == 404"], 404, "ok"),
        (["status == 404"], 200, "check"),
        (["status == 200"], 503, "http_5xx"),
        (["status == 200"], 403, "http_4xx"),
        (["latency < 1h"], 503, "http_5xx"),
        (["latency < 1ms"], 200, "check"),
    ],
)
def test_kinds_of_answers(checks: list[str], status: int, kind: str) -> None:
    request = compiled({"get": "/", "check": checks})
    assert kind_of_answer(request, Answer(status=status, latency_us=5000, headers={}, body=b""))[0] == kind
