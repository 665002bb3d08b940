"""The command line: one module a verb, imported only when that verb is used."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from gameday.model import EXIT_INTERNAL, EXIT_USAGE
from gameday.spi.errors import GamedayError

VERBS = {
    "demo": ("gameday.cli.demo:demo", "The embedded shop: an outage it survives and one it does not, with reports."),
    "init": ("gameday.cli.init:init", "Write a first experiment, a game day and a CI workflow that pass as they are."),
    "validate": ("gameday.cli.validate:validate", "Check experiment files; no target is contacted."),
    "schema": ("gameday.cli.schema:schema", "Print the JSON Schema of a file format, for editors."),
    "list": ("gameday.cli.listing:list_", "List drivers, probes and shipped experiments, or a driver's parameters."),
    "plan": ("gameday.cli.plan:plan", "Say what a run would touch, and whether it could prove anything."),
    "approve": ("gameday.cli.approve:approve", "Sign what a run would do, where a policy asks for that."),
    "check": ("gameday.cli.check:check", "Measure the steady state; inject nothing."),
    "run": ("gameday.cli.run:run", "Run an experiment: load, faults, verdict, report."),
    "day": ("gameday.cli.day:day", "A game day: lead through it, join it, resume it."),
    "watch": ("gameday.cli.watch:watch", "Follow a run from another terminal."),
    "judge": ("gameday.cli.judge:judge", "Judge a run folder again, from what it recorded."),
    "report": ("gameday.cli.report:report", "Write the reports of a run folder again."),
    "verify": ("gameday.cli.verify:verify", "Say whether a run folder is still what its run wrote."),
    "compare": ("gameday.cli.compare:compare", "Two runs beside each other, differences first."),
    "findings": (
        "gameday.cli.findings:findings",
        "What runs found, through all of them: open, closed, whose, by when.",
    ),
    "history": ("gameday.cli.history:history", "What each hypothesis came to, run by run, and what it cost."),
    "notify": ("gameday.cli.notify:notify", "Try out the notifications of a file."),
    "recover": ("gameday.cli.recover:recover", "Undo whatever a lost run left."),
    "stop": ("gameday.cli.stop:stop", "Stop every run now and revert; no run starts until resume."),
    "resume": ("gameday.cli.stop:resume", "Let runs start again after stop."),
    "proxy": ("gameday.cli.proxy:proxy", "A fault proxy in front of dependencies, driven by any Toxiproxy client."),
    "export": ("gameday.cli.export:export", "Write a file's load as a locustfile."),
    "doctor": ("gameday.cli.doctor:doctor", "Say what this machine can and cannot do."),
    "prune": ("gameday.cli.prune:prune", "Delete old folders of runs and of game days."),
    "completion": ("gameday.cli.completion:completion", "Print what bash, zsh or fish need to complete gameday."),
}
EPILOG = """\b
Examples:
  gameday demo
  gameday validate experiments/
  gameday run experiments/dependency/payments-outage.yaml
  gameday recover runs/20261123T101500Z-payments-outage-1a2b
"""


class Verbs(click.Group):
    """A group that imports a verb when it is called, not when it is listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order people meet them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import one verb."""
        if cmd_name not in VERBS:
            return None
        module, _, attribute = VERBS[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - ours
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest verb for a misspelt one."""
        if args and not args[0].startswith("-") and args[0] not in VERBS:
            from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

            near = get_close_matches(args[0], VERBS, 1)
            ctx.fail(
                f"no such command '{args[0]}'"
                + (f"; did you mean '{near[0]}'?" if near else "; gameday --help lists them")
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in VERBS.items()])


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value:
        from importlib import metadata  # noqa: PLC0415 - every other command would pay for it

        click.echo(f"gameday {metadata.version('gameday-runner')}")
        ctx.exit()


@click.group(
    cls=Verbs, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version and exit."
)
def cli() -> None:
    """Run chaos experiments and game days: inject failures, measure what users would feel, and always undo.

    Exit codes: 0 pass, 1 fail, 2 wrong file or command line, 3 inconclusive, 4 aborted, 5 dirty (a fault may still be on), 70 a bug.
    """


def main() -> None:
    """Run the command line; errors of ours are one line with the fix, never a traceback."""
    try:
        cli(prog_name="gameday", complete_var="_GAMEDAY_COMPLETE", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.Abort:
        click.echo("interrupted", err=True)
        sys.exit(EXIT_USAGE)
    except GamedayError as error:
        click.echo(f"gameday: {error}", err=True)
        if error.hint:
            click.echo(f"  = help: {error.hint}", err=True)
        sys.exit(EXIT_USAGE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter complains once more when it flushes
        sys.exit(EXIT_USAGE)
    except Exception:  # noqa: BLE001 - the last resort: a bug has an exit code of its own
        import traceback  # noqa: PLC0415 - only for a bug

        traceback.print_exc()
        click.echo("gameday: this is a bug of ours; nothing above is your fault", err=True)
        sys.exit(EXIT_INTERNAL)
