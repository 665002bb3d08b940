"""Signatures by people's SSH keys, made and checked by OpenSSH's own ``ssh-keygen -Y``; nothing of it is done again here.

The program is looked for in the system's folders only, never by PATH, and checks with an environment of its own: nothing that a caller
sets can put another one in its place. Times in ``allowed_signers`` without a zone are UTC.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from gameday.spi.errors import GamedayError

NAMESPACE = "gameday-approval"
PLACES = ("/usr/bin/ssh-keygen", "/bin/ssh-keygen", "/usr/local/bin/ssh-keygen", "/opt/homebrew/bin/ssh-keygen")
CHECK_SECONDS = 10.0
SIGN_SECONDS = 300.0
"""A person may have to type a passphrase or touch a token."""
_CLEAN = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_KEY = re.compile(r" key (\S+:\S+)\s*$")


class SigningError(GamedayError):
    """Nothing can be signed, or checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signers:
    """Who may sign: an ``allowed_signers`` file, and a list of keys that are revoked, as they were read."""

    allowed: bytes
    revoked: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A good signature."""

    key: str
    """The key's fingerprint; of a certificate, that of the key in it."""
    principals: frozenset[str]
    """Whose key it is by the file, in lower case."""


def program() -> str:
    """Return the path of ssh-keygen; raise SigningError where there is none."""
    found = next((place for place in PLACES if os.access(place, os.X_OK)), None)
    if found is None:
        raise SigningError("approvals need OpenSSH's ssh-keygen", hint="install it: apt-get install openssh-client")
    return found


def sign(key: Path, text: str) -> str:
    """Sign with a private key, or with a public one whose other half an agent has; raise SigningError."""
    argv = [program(), "-Y", "sign", "-q", "-n", NAMESPACE, "-f", str(key)]
    done = _run(argv, text, dict(os.environ), SIGN_SECONDS)
    if done.returncode != 0 or not done.stdout.startswith("-----BEGIN SSH SIGNATURE-----"):
        said = (done.stderr.strip().splitlines() or ["no signature"])[-1]
        raise SigningError(
            f"{key} cannot sign: {said[:200]}", hint="name a private SSH key, or a public one in your agent"
        )
    return done.stdout


def check(text: str, signature: str, by: str, signers: Signers, at: datetime) -> Signed | None:
    """Return whose signature it is, where ``by`` could sign at that time; None where it is not good. Raises SigningError."""
    with _files(signers, signature) as files:
        when = f"-Overify-time={at.astimezone(UTC):%Y%m%d%H%M%S}"
        known = ["-n", NAMESPACE, "-s", files["signature"], "-f", files["allowed"], when]
        revoked = ["-r", files["revoked"]] if "revoked" in files else []
        done = _run([program(), "-Y", "verify", "-I", by, *known, *revoked], text, _CLEAN, CHECK_SECONDS)
        key = _KEY.search(done.stdout)
        if done.returncode != 0 or key is None:
            return None
        find = [program(), "-Y", "find-principals", "-s", files["signature"], "-f", files["allowed"], when]
        listed = _run(find, "", _CLEAN, CHECK_SECONDS).stdout.split()
    return Signed(key=key[1], principals=frozenset(name.lower() for name in (by, *listed)))


@contextmanager
def _files(signers: Signers, signature: str) -> Generator[Mapping[str, str]]:
    with TemporaryDirectory(prefix="gameday-") as folder:
        contents = {"allowed": signers.allowed, "signature": signature.encode(), "revoked": signers.revoked}
        paths = {name: Path(folder) / name for name, data in contents.items() if data is not None}
        for name, path in paths.items():
            path.write_bytes(contents[name] or b"")
        yield {name: str(path) for name, path in paths.items()}


def _run(argv: Sequence[str], text: str, env: Mapping[str, str], seconds: float) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - a fixed program, no shell
            argv, input=text, capture_output=True, text=True, errors="replace", env=env, timeout=seconds, check=False
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise SigningError(f"{argv[0]} did not answer: {type(error).__name__}") from None
