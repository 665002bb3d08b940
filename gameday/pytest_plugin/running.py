"""Run one experiment by ``gameday run`` in a process of its own, and never leave before its faults are reverted.

Not in pytest's process: there are its captured streams, its filters of warnings, the plugins and threads of others, and a signal
that belongs to pytest.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from gameday.model import Json, Verdict

TOLD_AT_THE_END = ("GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS", "GITLAB_CI")
"""What makes a run tell its CI system: here the session does so, once for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be run."""

    path: Path
    variables: Mapping[str, str]
    """With those that choose a combination of the matrix."""
    variable_files: tuple[Path, ...]
    output: Path
    accept: str | None
    start: Path
    """The folder that pytest was started in."""

    def words(self) -> list[str]:
        """Return the words of the command, without the program."""
        words = ["run", str(self.path), "--format", "json", "--output", str(self.output)]
        words += [word for name, value in self.variables.items() for word in ("--var", f"{name}={value}")]
        words += [word for file in self.variable_files for word in ("--var-file", str(file))]
        return [*words, *(("--accept", self.accept) if self.accept else ())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a run came to."""

    code: int
    document: Json | None
    """Its verdict; None when it did not come to one."""
    output: Path

    @property
    def passed(self) -> bool:
        """Whether the program says so, and a verdict is there that it can be about."""
        return self.code == 0 and self.document is not None

    @property
    def word(self) -> str:
        """The verdict in a word."""
        return "no verdict" if self.document is None else str(self.document["verdict"])

    @property
    def folder(self) -> Path | None:
        """The run's folder."""
        return None if self.document is None else self.output / str(self.document["run"])


def carry_out(asked: Asked, lock: int, say: Callable[[str], object]) -> Finished:
    """Run to the end. When this is interrupted, by whatever exception, the run reverts first; ``say`` tells so."""
    environment = {name: value for name, value in os.environ.items() if name not in TOLD_AT_THE_END}
    argv = [sys.executable, "-P", "-m", "gameday.pytest_plugin.child", str(os.getpid()), str(lock), *asked.words()]
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(  # noqa: S603 - ourselves, and no shell reads it
            argv,
            stdin=subprocess.DEVNULL,
            stdout=out,
            env=environment,
            cwd=asked.start,
            pass_fds=(lock,),
            start_new_session=True,  # a Ctrl-C at the terminal reaches pytest alone, which passes it on once
        )
        try:
            code = process.wait()
        except BaseException:
            _end(process, say)
            raise
        out.seek(0)
        return Finished(code=code, document=_verdict(out.read()), output=asked.output)


def _end(process: subprocess.Popen[bytes], say: Callable[[str], object]) -> None:
    """Stop the run and wait until it has reverted; each further interruption is passed on."""
    while process.poll() is None:
        say("")
        say("gameday: stopping the run and reverting its faults; Ctrl-C again skips watching the recovery")
        process.send_signal(signal.SIGINT)
        try:
            process.wait()
        except KeyboardInterrupt:
            continue


def _verdict(out: bytes) -> Json | None:
    """Read the one document on stdout; None when it is no verdict."""
    try:
        found: object = json.loads(out)
    except ValueError:
        return None
    document = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    words = {verdict.word for verdict in Verdict}
    return document if document.get("verdict") in words and document.get("run") else None
