"""``gameday proxy``: the fault proxy as a program of its own, which any Toxiproxy client can drive."""

from __future__ import annotations

import os
from pathlib import Path

import click

TOKEN_VARIABLE = "GAMEDAY_PROXY_TOKEN"  # noqa: S105 - the name of one
EPILOG = f"""\b
Examples:
  gameday proxy --proxy redis=127.0.0.1:26379=127.0.0.1:6379
  gameday proxy --config toxiproxy.json
  curl -d '{{"type": "latency", "attributes": {{"latency": 500}}}}' localhost:8474/proxies/redis/toxics
  curl -X DELETE localhost:8474/proxies/redis/toxics/latency_downstream
  {TOKEN_VARIABLE}=… gameday proxy --host 0.0.0.0 --config toxiproxy.json
\b
SIGHUP reads the configuration file again; SIGTERM ends it. docs/fault-proxy.md has every toxic.
"""


@click.command(epilog=EPILOG)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the control port listens.")
@click.option("--port", default=8474, show_default=True, type=click.IntRange(0, 65535), help="The control port.")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Proxies to start with, as a JSON list like toxiproxy-server's: [{name, listen, upstream, enabled}].",
)
@click.option(
    "--proxy", "flags", multiple=True, metavar="NAME=LISTEN=UPSTREAM", help="A proxy to start with; repeatable."
)
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"What clients must send as a bearer token; {TOKEN_VARIABLE} does as well. Needed when --host is not loopback.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Of jitter and of every other draw; default: at random.")
@click.option(
    "--loop",
    type=click.Choice(["auto", "asyncio", "uvloop"]),
    default="auto",
    show_default=True,
    help="The event loop; auto is uvloop where the extra of that name is installed.",
)
def proxy(
    *,
    host: str,
    port: int,
    config: Path | None,
    flags: tuple[str, ...],
    token_file: Path | None,
    seed: int | None,
    loop: str,
) -> None:
    """Put a fault proxy in front of dependencies: outages, latency, HTTP faults and bad certificates, on command.

    Its control port speaks the Toxiproxy HTTP API, so that every Toxiproxy client drives it. Logs are JSON lines on stderr.
    """
    from gameday.proxy.config import ConfigError, read_control  # noqa: PLC0415 - only for this verb
    from gameday.proxy.program import Options, serve  # noqa: PLC0415 - only for this verb
    from gameday.proxy.spec import read_flag  # noqa: PLC0415 - only for this verb

    token = _token(token_file)
    try:
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        options = Options(
            control=read_control(address, token),
            token=token,
            file=config,
            proxies=tuple(read_flag(flag) for flag in flags),
            seed=seed,
            loop=loop,
        )
        serve(options)
    except (ConfigError, ValueError) as error:
        hint = f"; set {TOKEN_VARIABLE} or pass --token-file" if "give a token" in str(error) else ""
        raise click.UsageError(f"{error}{hint}") from error


def _token(file: Path | None) -> str:
    token = os.environ.get(TOKEN_VARIABLE, "") if file is None else file.read_text(encoding="utf-8", errors="replace")
    token = token.strip()
    if file is not None and not token:
        raise click.UsageError(f"{file} is empty: it must hold the token")
    if not (token.isascii() and token.isprintable()):
        raise click.UsageError("the token has characters that no header can carry")
    return token
