from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gameday.spi import ProbeError, QueryError, Secrets, World
from gameday.testing import ProbeContract, Source, eventually
from gameday_drivers.deadline import Deadline
from gameday_drivers.redis_probe import RedisProbe
from gameday_drivers.redis_wire import Redis, connected
from gameday_drivers.secret_url import Opened
from tests.fakes.servers import free_port, program, redis_server, started_in

PASSWORD = "p@ss/w:rd %x"  # every character that could be taken for a part of a URL
WORLD = World(run_id="r", secrets=Secrets(values={"pw": PASSWORD, "wrong": "wr0ng-one"}))


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with redis_server(tmp_path, "--requirepass", PASSWORD) as port:
        yield port


@contextmanager
def client(port: int) -> Generator[Redis]:
    with connected(Opened(scheme="redis", password=PASSWORD, host="127.0.0.1", port=port), Deadline.after(5)) as redis:
        yield redis


def do(port: int, *words: str) -> Any:
    with client(port) as redis:
        return redis.ask(*words)


def probe(port: int, *, password: str = "pw", **given: Any) -> RedisProbe:
    filled: dict[str, Any] = {"timeout_": 2_000, **given}
    return RedisProbe(value=f"redis://:${{{password}}}@127.0.0.1:{port}/0", **filled)


class RedisContract(ProbeContract):
    given: ClassVar[dict[str, str]]
    fill: tuple[str, ...]
    more: tuple[str, ...]
    count: tuple[str, ...]

    @pytest.fixture
    def world(self) -> World:
        return WORLD

    @pytest.fixture
    def source(self, port: int, tmp_path: Path) -> Source:
        do(port, *self.fill)

        def freeze() -> None:
            for pid in started_in(tmp_path):
                os.kill(pid, signal.SIGSTOP)

        def spoil() -> None:
            do(port, "DEL", "jobs")
            do(port, *(("SET", "jobs", "three\x07") if "get" in self.given else ("SET", "jobs", "3")))

        return Source(
            probe=probe(port, timeout_=500, **self.given),
            expected=lambda: float(do(port, *self.count)),
            change=lambda: do(port, *self.more),
            silence=freeze,
            spoil=spoil,
        )


class TestList(RedisContract):
    given: ClassVar = {"llen": "jobs"}
    fill, more, count = ("RPUSH", "jobs", "a", "b"), ("RPUSH", "jobs", "c"), ("LLEN", "jobs")


class TestNumber(RedisContract):
    given: ClassVar = {"get": "jobs"}
    fill, more, count = ("SET", "jobs", "2.5"), ("INCRBYFLOAT", "jobs", "1"), ("GET", "jobs")


@pytest.mark.parametrize(
    ("given", "fill", "found"),
    [
        ({"scard": "k"}, ("SADD", "k", "a", "b"), 2),
        ({"zcard": "k"}, ("ZADD", "k", "1", "a"), 1),
        ({"xlen": "k"}, ("XADD", "k", "*", "a", "b"), 1),
        ({"hlen": "k"}, ("HSET", "k", "a", "1", "b", "2"), 2),
        ({"get": "k"}, ("SET", "k", "0"), 0),
        ({"info": "connected_clients"}, ("PING",), 1),
    ],
)
def test_what_it_reads(port: int, given: dict[str, str], fill: tuple[str, ...], found: float) -> None:
    do(port, *fill)
    assert eventually(lambda: probe(port, **given).read(WORLD) == found)


@pytest.mark.parametrize("what", ["llen", "scard", "zcard", "xlen", "hlen", "get"])
def test_a_key_that_is_not_there_is_no_data_unless_the_file_says_zero(port: int, what: str) -> None:
    with pytest.raises(ProbeError, match="there is no key 'jobs'") as raised:
        probe(port, **{what: "jobs"}).read(WORLD)
    assert not isinstance(raised.value, QueryError)
    assert probe(port, absent="zero", **{what: "jobs"}).read(WORLD) == 0


def test_a_stream_without_entries_is_there(port: int) -> None:
    with client(port) as redis:
        redis.ask("XGROUP", "CREATE", "k", "g", "$", "MKSTREAM")
    assert probe(port, xlen="k").read(WORLD) == 0


@pytest.mark.parametrize(
    ("given", "value", "words"),
    [
        ({"llen": "k"}, "3", "WRONGTYPE"),
        ({"get": "k"}, "nan", "not one number"),
        ({"get": "k"}, "inf", "not one number"),
        ({"get": "k"}, "", "nothing where a number should be"),
        ({"get": "k"}, "null", "not one number"),
        ({"get": "k"}, "true", "not one number"),
        ({"get": "k"}, "1 2", "not one number"),
        ({"get": "k"}, "x" * 2_000_000, "longer than 1048576 bytes"),
        ({"info": "role"}, "1", "not one number"),
        ({"info": "nonsense"}, "1", "INFO has no field 'nonsense'"),
    ],
)
def test_a_wrong_question_says_so(port: int, given: dict[str, str], value: str, words: str) -> None:
    do(port, "SET", "k", value)
    with pytest.raises(QueryError, match=words):
        probe(port, **given).read(WORLD)


@pytest.mark.parametrize("password", ["wrong", ""])
def test_wrong_credentials_are_a_wrong_question_and_never_said(port: int, password: str) -> None:
    asked = (
        probe(port, password=password, llen="k")
        if password
        else RedisProbe(value=f"redis://127.0.0.1:{port}", llen="k")
    )
    with pytest.raises(QueryError, match=r"WRONGPASS|NOAUTH") as raised:
        asked.read(WORLD)
    assert "wr0ng-one" not in str(raised.value)


def test_a_refused_connection_is_missing_and_the_password_is_nowhere(port: int, tmp_path: Path) -> None:
    for pid in started_in(tmp_path):
        os.kill(pid, signal.SIGKILL)
    asked = probe(port, llen="jobs")
    assert eventually(lambda: "refused" in failure(asked).lower())
    assert PASSWORD not in failure(asked) + repr(asked)


def failure(asked: RedisProbe) -> str:
    with pytest.raises(ProbeError) as raised:
        asked.read(WORLD)
    return str(raised.value)


def test_a_replica_without_its_master_is_stale(port: int, tmp_path: Path) -> None:
    do(port, "RPUSH", "jobs", "a")
    (tmp_path / "replica").mkdir()
    do(port, "CONFIG", "SET", "repl-diskless-sync-delay", "0")
    options = ("--replicaof", "127.0.0.1", str(port), "--masterauth", PASSWORD, "--requirepass", PASSWORD)
    with redis_server(tmp_path / "replica", *options) as replica:
        asked = probe(replica, llen="jobs", timeout_=5_000)

        def reads() -> bool:
            try:
                return asked.read(WORLD) == 1
            except ProbeError:
                return False

        assert eventually(reads, 10)
        for pid in started_in(tmp_path):
            os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: not reads())
        assert "stale" in failure(asked)


def test_over_tls_and_a_socket_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    openssl = program("openssl", "openssl")
    made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=redis", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([openssl, *made, *names], cwd=tmp_path, check=True, capture_output=True)
    tls = free_port()
    options = ["--tls-port", str(tls), "--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem"]
    options += ["--tls-auth-clients", "no", "--unixsocket", str(tmp_path / "s")]
    with redis_server(tmp_path, *options):
        over_tls = RedisProbe(value=f"rediss://127.0.0.1:{tls}/0", info="connected_clients")
        with pytest.raises(ProbeError, match="CERTIFICATE_VERIFY_FAILED"):
            over_tls.read(WORLD)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        assert over_tls.read(WORLD) >= 1
        assert RedisProbe(value=f"unix://{tmp_path}/s?db=1", info="connected_clients").read(WORLD) >= 1


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Generator[int]:
    """A server that is no Redis: it answers the first client as it likes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with listener.accept()[0] as sock:
                sock.recv(4096)
                answer(sock)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            thread.join()


def saying(text: bytes) -> Callable[[socket.socket], None]:
    def say(sock: socket.socket) -> None:
        sock.sendall(text)

    return say


def hang_up(sock: socket.socket) -> None:
    pass


def drip(sock: socket.socket) -> None:
    try:
        for _ in range(60):
            sock.sendall(b"x")
            time.sleep(0.05)
    except OSError:
        return


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "does not speak the protocol"),
        (hang_up, "closes the connection"),
        (saying(b"-MOVED 3999 127.0.0.1:6381\r\n"), "MOVED"),
        (saying(b"-LOADING Redis is loading the dataset in memory\r\n"), "LOADING"),
        (saying(b"$99999999\r\n"), "longer than 1048576 bytes"),
        (saying(b"*1\r\n" * 50), "does not speak the protocol"),
        (drip, "no answer within 0.4 s"),
    ],
)
def test_what_is_no_redis_is_no_reading(answer: Callable[[socket.socket], None], words: str) -> None:
    with answering(answer) as port:
        start = time.monotonic()
        with pytest.raises(ProbeError, match=words):
            RedisProbe(value=f"redis://127.0.0.1:{port}", llen="k", timeout_=400).read(WORLD)
        assert time.monotonic() - start < 1.4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"value": "localhost:6379"}, "^value is not a URL"),
        ({"value": "http://127.0.0.1"}, "^value is no URL of a Redis server"),
        ({"value": "redis://:secret@127.0.0.1"}, "^value has a password in it"),
        ({"llen": ""}, "^value needs exactly one of llen"),
        ({"scard": "b"}, "^value needs exactly one of llen"),
        ({"llen": "", "info": "x", "absent": "zero"}, "^absent is for keys"),
    ],
)
def test_what_it_refuses_begins_with_the_parameter(given: dict[str, Any], words: str) -> None:
    filled: dict[str, Any] = {"value": "redis://127.0.0.1", "llen": "a", **given}
    with pytest.raises(ValueError, match=words):
        RedisProbe(**filled)
