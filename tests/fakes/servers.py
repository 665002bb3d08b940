"""Real servers for the tests of probes: on loopback, on ports and in folders of their own, and ended with all they started."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from gameday.testing import eventually

START_SECONDS = 100.0


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def program(name: str, package: str, *folders: str) -> str:
    """Return the path of a server's program, or skip with what installs it."""
    places = os.pathsep.join([*folders, os.environ.get("PATH", ""), "/usr/sbin"])
    found = shutil.which(name, path=places)
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install {package}")
    return found


def listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def server(
    argv: Sequence[str],
    folder: Path,
    ready: Callable[[], bool],
    *,
    end: signal.Signals = signal.SIGTERM,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
) -> Generator[subprocess.Popen[bytes]]:
    """Start a server and wait until it is ready; end it, and what carries ``folder`` in its environment, by pid."""
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            argv,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(env or {}), "GAMEDAY_TEST_FOLDER": str(folder)},
            cwd=folder,
            start_new_session=True,
            user=user,
            group=user,
        )
    try:
        assert eventually(lambda: process.poll() is not None or ready(), START_SECONDS)
        assert process.poll() is None, (folder / "server.log").read_text(errors="replace")
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.send_signal(end)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        for pid in started_in(folder):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(10)
        assert eventually(lambda: not started_in(folder), 10)


def started_in(folder: Path) -> list[int]:
    """Every process that a server of this folder has left."""
    mark, found = f"GAMEDAY_TEST_FOLDER={folder}\0".encode(), list[int]()
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes() + b"\0":
                found.append(int(entry.name))
    return found


@contextmanager
def redis_server(folder: Path, *options: str) -> Generator[int]:
    """A Redis that keeps nothing on disk; yields its port."""
    port = free_port()
    argv = [program("redis-server", "redis-server"), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
    with server(
        [*argv, "--save", "", "--appendonly", "no", "--set-proc-title", "no", *options],
        folder,
        lambda: listens(port),
        end=signal.SIGKILL,
    ):
        yield port


@dataclass(frozen=True, slots=True)
class Postgres:
    port: int
    password: str
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/postgres"


@contextmanager
def postgres_server(password: str) -> Generator[Postgres]:
    """A PostgreSQL with a password; it does not run as root, so its folder is the user's that it runs as."""
    where = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
    programs = ("initdb", "postgres", "pg_isready")
    initdb, postgres, isready = (program(name, "postgresql", *map(str, where)) for name in programs)
    user = "postgres" if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="gameday-postgres-"))
    try:
        (folder / "password").write_text(password)
        if user:
            shutil.chown(folder, "postgres", "postgres")
            shutil.chown(folder / "password", "postgres", "postgres")
        made = [initdb, "-D", str(folder / "data"), "-U", "postgres", "-A", "scram-sha-256", "--no-sync"]
        subprocess.run(
            [*made, "--pwfile", str(folder / "password"), "-E", "UTF8", "--locale", "C"],
            check=True,
            capture_output=True,
            cwd=folder,
            user=user,
            group=user,
        )
        port = free_port()
        argv = [postgres, "-D", str(folder / "data"), "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
        argv += ["-c", "fsync=off", "-c", f"unix_socket_directories={folder}"]
        asked = [isready, "-q", "-h", "127.0.0.1", "-p", str(port)]

        def ready() -> bool:
            return subprocess.run(asked, check=False).returncode == 0

        with server(argv, folder, ready, end=signal.SIGINT, user=user) as process:
            yield Postgres(port, password, process)
    finally:
        shutil.rmtree(folder)


@dataclass(frozen=True, slots=True)
class Rabbitmq:
    url: str
    control: Callable[..., str]
    """rabbitmqctl, with the words of a command."""


RABBIT_CONF = """
listeners.tcp.1 = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {api}
distribution.listener.interface = 127.0.0.1
distribution.listener.port_range.min = {peers}
distribution.listener.port_range.max = {peers}
"""


@contextmanager
def rabbitmq_server(folder: Path) -> Generator[Rabbitmq]:
    """A RabbitMQ with its management API; its epmd, too, is one of its own, on a port of its own, and ended."""
    name = program("rabbitmq-server", "rabbitmq-server", "/usr/lib/rabbitmq/bin")
    epmd, amqp, api, peers = (free_port() for _ in range(4))
    (folder / "rabbitmq.conf").write_text(RABBIT_CONF.format(amqp=amqp, api=api, peers=peers))
    (folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
    env = {
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(epmd),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": "gameday-test@localhost",
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
    }

    def control(*words: str) -> str:
        argv = [program("rabbitmqctl", "rabbitmq-server", "/usr/lib/rabbitmq/bin"), "-q", *words]
        done = subprocess.run(argv, env={**os.environ, **env}, capture_output=True, text=True, timeout=50)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    mapper = [program("epmd", "erlang-base"), "-port", str(epmd), "-address", "127.0.0.1"]
    with (
        server(mapper, folder, lambda: listens(epmd), env=env, end=signal.SIGKILL),
        server([name], folder, lambda: listens(api), env=env, end=signal.SIGKILL),
    ):
        yield Rabbitmq(f"http://127.0.0.1:{api}", control)
