"""What Locust is told on its command line, and what a file may add to it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gameday.spi.errors import LoadError

_OWN = {
    "-f --locustfile": "load.locustfile",
    "-u --users": "load.users",
    "-r --spawn-rate": "load.spawn_rate",
    "-t --run-time --autoquit": "phases: the run ends the load",
    "-H --host": "load.target",
    "-T --tags": "load.tags",
    "-E --exclude-tags": "load.exclude_tags",
    "--processes": "load.processes",
    "--master --master-bind-host --master-bind-port --expect-workers --expect-workers-max-wait": "load.workers",
    "--worker --master-host --master-port": "load.workers",
    "--headless --headful --autostart --web-host --web-port -P --web-auth --web-login --class-picker": "nothing: there is no web page",
    "--config -h --help -V --version -l --list --show-task-ratio --show-task-ratio-json --skip-log-setup": "nothing",
}
_INSTEAD = {option: instead for options, instead in _OWN.items() for option in options.split()}
_REFERENCE = re.compile(r"\$\{\w+\}")


def check_arguments(args: Sequence[str]) -> None:
    """Raise LoadError where ``load.args`` would take a decision that is the file's, or hold a secret."""
    for arg in args:
        option = arg.partition("=")[0]
        if option in _INSTEAD:
            raise LoadError(f"load.args may not have {option}", hint=f"write {_INSTEAD[option]}")
        if _REFERENCE.search(arg):
            raise LoadError(
                "load.args would hold a secret, and arguments are seen by everybody",
                hint="pass it in load.env, and read it by os.environ in the locustfile",
            )


def locust_arguments(config: Mapping[str, Any], *, users: int, spawn_rate: float, port: int) -> list[str]:
    """Return Locust's own arguments for a configuration of gameday.load.config; they never hold a secret.

    ``port`` is a free one of this machine, on which the processes of ``load.processes`` meet.
    """
    asked = config["locust"]
    arguments = ["locust", *asked["classes"], "-f", asked["file"], "--headless", "--only-summary"]
    arguments += ["--exit-code-on-error", "0", "--stop-timeout", str(-(-config["timeout_ms"] // 1000))]
    arguments += ["--host", config["target"], "--users", str(users), "--spawn-rate", f"{spawn_rate:g}"]
    for option in ("tags", "exclude_tags"):
        if asked[option]:
            arguments += [f"--{option.replace('_', '-')}", *asked[option]]
    if asked["workers"]:
        workers = asked["workers"]
        arguments += ["--master", "--master-bind-host", workers["bind"], "--master-bind-port", str(workers["port"])]
        arguments += ["--expect-workers", str(workers["expect"])]
    elif config["processes"] > 1 and not config["open"]:
        arguments += ["--processes", str(config["processes"])]
        arguments += ["--master-bind-host", "127.0.0.1", "--master-bind-port", str(port)]
        arguments += ["--master-host", "127.0.0.1", "--master-port", str(port)]
    return [*arguments, *asked["args"]]
