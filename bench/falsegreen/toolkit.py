"""Experiments for ``chaos run``: one steady state (the target answers 200), a method, rollbacks."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.harness import ROOT, Lab, await_true

ACTIONS = '''"""Actions of the side by side runs."""

import time
from pathlib import Path


def fail():
    raise RuntimeError("this action does not work")


def hold(seconds):
    time.sleep(seconds)


def hold_from(seconds, mark):
    Path(mark).touch()
    time.sleep(seconds)
'''
MARK = "called"
"""The file that says that the action to be interrupted has begun."""


def process(name: str, argv: Sequence[str]) -> dict[str, Any]:
    """An action that starts a program."""
    provider = {"type": "process", "path": argv[0], "arguments": list(argv[1:])}
    return {"type": "action", "name": name, "provider": provider}


def python(name: str, func: str, **more: Any) -> dict[str, Any]:
    """An action that calls a function of ACTIONS; what is not an argument of it goes to the provider."""
    provider = {"type": "python", "module": "side_actions", "func": func, **more}
    return {"type": "action", "name": name, "provider": provider}


def steady(lab: Lab) -> dict[str, Any]:
    """The target answers 200."""
    return {
        "type": "probe",
        "name": "home",
        "tolerance": 200,
        "provider": {"type": "http", "url": f"http://127.0.0.1:{lab.port}/"},
    }


def experiment(lab: Lab, method: Sequence[Any], rollbacks: Sequence[Any] = (), **changes: Any) -> dict[str, Any]:
    """A whole experiment; a change to None leaves the key out."""
    whole: dict[str, Any] = {
        "title": "side by side",
        "description": "side by side",
        "steady-state-hypothesis": {"title": "the target answers", "probes": [steady(lab)]},
        "method": list(method),
        "rollbacks": list(rollbacks),
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not None}


@contextmanager
def target(lab: Lab) -> Generator[None]:
    """The target of ours, on the lab's port, for as long as this lasts."""
    argv = [sys.executable, "-m", "tests.fakes.target", str(lab.port), str(lab.folder)]
    with subprocess.Popen(argv, cwd=ROOT) as process:
        try:
            await_true(lambda: _answers(lab.port), 10, "the target listens")
            yield
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def chaos_run(lab: Lab, document: dict[str, Any], words: Sequence[str] = (), *, interrupt: bool = False) -> int:
    """Run it to its end, or send it SIGTERM once its long action has begun; return the exit code."""
    (lab.folder / "side_actions.py").write_text(ACTIONS)
    (lab.folder / "chaos.json").write_text(json.dumps(document))
    chaos = str(Path(sys.executable).with_name("chaos"))
    argv = [chaos, "--no-version-check", "run", *words, "chaos.json"]
    environ = {**os.environ, "PYTHONPATH": str(lab.folder)}
    with ExitStack() as stack:
        stack.enter_context(target(lab))
        out = stack.enter_context((lab.folder / "chaos.out").open("wb"))
        running = stack.enter_context(subprocess.Popen(argv, cwd=lab.folder, env=environ, stdout=out, stderr=out))
        stack.callback(running.kill)
        if interrupt:
            await_true(lambda: (lab.folder / MARK).exists() or running.poll() is not None, 20, "the action began")
            time.sleep(0.3)
            running.send_signal(signal.SIGTERM)
        return running.wait(60)
