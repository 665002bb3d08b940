"""``gameday day``: a game day from its plan to its report; one module a verb, imported only when that verb is used."""

from __future__ import annotations

from importlib import import_module

import click

EPILOG = """\b
Examples:
  gameday day plan gamedays/brown-out.yaml
  gameday day run gamedays/brown-out.yaml
In other terminals, while it is on:
  gameday day watch runs/day-20261124T100000Z-brown-out-1a2b
  gameday day mark noticed "pager went off"
  gameday day note "dashboard shows 3% errors" --evidence graph.png
"""

DAY_VERBS = {
    "plan": ("gameday.cli.dayplan:plan", "Say what a game day would do, item by item, and what would refuse it."),
    "run": ("gameday.cli.dayrun:run", "Lead through a game day."),
    "resume": ("gameday.cli.dayrun:resume", "Go on with a day that was stopped, or whose leader was lost."),
    "note": ("gameday.cli.daysay:note", "Say something to the day that is on, from another terminal."),
    "mark": ("gameday.cli.daysay:mark", "Say that you were paged, noticed it, or mitigated it: now."),
    "answer": ("gameday.cli.daysay:answer", "Answer what the leader asks, from another terminal."),
    "stop": ("gameday.cli.daysay:stop", "Stop the day: its experiment is reverted at once; it can be resumed."),
    "watch": ("gameday.cli.daywatch:watch", "Follow a day from another terminal."),
    "report": ("gameday.cli.dayreport:report", "Judge a day again from its folder, and say what it came to."),
    "next": ("gameday.cli.dayserve:next_", "List the next times of days' schedules, and which are skipped."),
    "serve": ("gameday.cli.dayserve:serve", "Begin days by their schedules, until it is ended."),
    "export": ("gameday.cli.dayexport:export", "Write a day's schedule for Kubernetes, systemd or GitHub."),
}


class DayVerbs(click.Group):
    """A group that imports a verb when it is called, not when it is listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order people meet them."""
        return list(DAY_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import one verb."""
        if cmd_name not in DAY_VERBS:
            return None
        module, _, attribute = DAY_VERBS[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - ours
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in DAY_VERBS.items()])


@click.group(cls=DayVerbs, epilog=EPILOG)
def day() -> None:
    """Plan, lead, join and report a game day: experiments, people and time, in one file.

    Exit codes of run, resume and report are those of a run: 0 pass, 1 fail, 3 inconclusive, 4 aborted or stopped, 5 dirty;
    and 6 where `run --scheduled` may not begin now: nothing was touched, and nothing is proven.
    """
