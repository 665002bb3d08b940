"""What proves that pods cannot be reached: a connection that is not made, or an answer that does not come."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from gameday.spi import DriverError
from gameday_drivers.kube.reached import is_reachable_name, is_reached
from tests.harness import free_port


class _Pods(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/cut":
            return
        self.send_response({"/moved": 302, "/missing": 404, "/gateway": 503}.get(self.path, 200))
        self.send_header("Location", "http://elsewhere.invalid/")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class says so
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Pods) as pods:
        thread = threading.Thread(target=pods.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"127.0.0.1:{pods.server_port}"
        pods.shutdown()
        thread.join(5)


@pytest.mark.parametrize(
    ("path", "reached"),
    [("/", True), ("/moved", True), ("/missing", True), ("/gateway", False), ("/cut", False)],
)
def test_an_answer_of_the_pods_is_less_than_500(server: str, path: str, reached: bool) -> None:
    assert is_reached(f"http://{server}{path}") is reached


def test_a_connection_or_none(server: str) -> None:
    assert is_reached(server)
    assert not is_reached(f"127.0.0.1:{free_port()}")
    assert not is_reached(f"http://127.0.0.1:{free_port()}/")


@pytest.mark.parametrize("name", ["nowhere.invalid:80", "http://nowhere.invalid/"])
def test_a_name_that_is_not_known_proves_nothing(name: str) -> None:
    with pytest.raises(DriverError, match="there is no host for"):
        is_reached(name)


@pytest.mark.parametrize("name", ["h:80", "[::1]:80", "http://h", "https://h:8443/healthz?a=b"])
def test_what_can_be_reached_has_a_name(name: str) -> None:
    assert is_reachable_name(name)


@pytest.mark.parametrize("name", ["h", "h:80/x", "ftp://h", "http://user:secret@h/", "http:// h", "http://"])
def test_what_names_nothing(name: str) -> None:
    assert not is_reachable_name(name)
