"""``gameday recover``: undo what a lost run left."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gameday.cli.completing import complete_runs
from gameday.model import Verdict

EPILOG = """\b
Examples:
  gameday recover runs/20261123T101500Z-payments-outage-1a2b
  gameday recover --all --dry-run
  gameday recover --all
  gameday recover --kubernetes --kubeconfig ~/.kube/staging --context staging --dry-run
  gameday recover --kubernetes --kubeconfig ~/.kube/staging --context staging --namespace shop 20261123T101500Z-drain-1a2b
"""


@click.command(epilog=EPILOG)
@click.argument("named", metavar="[RUN]", required=False, shell_complete=complete_runs)
@click.option(
    "--all", "everything", is_flag=True, help="Every run of this user that has ended and may have left something."
)
@click.option("--dry-run", is_flag=True, help="Only list what would be undone.")
@click.option(
    "--kubernetes",
    is_flag=True,
    help="What runs of any machine left in a cluster: what has expired there, all that RUN left, or --all.",
)
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="With --kubernetes: the kubeconfig file.")
@click.option("--context", help="With --kubernetes: the context in it.")
@click.option(
    "--namespace", "namespaces", multiple=True, help="With --kubernetes: only there; may be given more than once."
)
@click.option("--force", is_flag=True, help="With --kubernetes: what belongs to a run that is alive here, too.")
def recover(
    *,
    named: str | None,
    everything: bool,
    dry_run: bool,
    kubernetes: bool,
    kubeconfig: Path | None,
    context: str | None,
    namespaces: tuple[str, ...],
    force: bool,
) -> None:
    """Undo what the lost run RUN (its folder, or its name) left, newest first, and prove it. Harmless when nothing is left.

    Secrets that the run used are taken from the environment again. Exit code 0 when all is clean, 5 when something is left.

    With --kubernetes no journal is needed, and any machine will do: what faults have made or changed says on itself how it was.
    """
    if kubernetes:
        if kubeconfig is None or not context:
            raise click.UsageError("--kubernetes needs --kubeconfig and --context: a cluster is always named")
        if everything and named:
            raise click.UsageError("name one run, or say --all")
        sys.exit(_cluster(kubeconfig, context, namespaces, (named or "", everything, force), dry_run=dry_run))
    if kubeconfig or context or namespaces or force:
        raise click.UsageError("--kubeconfig, --context, --namespace and --force go with --kubernetes")
    if everything == (named is not None):
        raise click.UsageError("name one run, or say --all")
    from gameday.undo.leftover import ended_runs  # noqa: PLC0415 - heavy
    from gameday.undo.recover import find_run  # noqa: PLC0415 - heavy

    folders = ended_runs() if named is None else (find_run(named),)
    if not folders:
        click.echo("no run has left anything")
    codes = [_one(folder, dry_run=dry_run, named=named is not None) for folder in folders]
    sys.exit(max(codes, default=0))


def _cluster(
    kubeconfig: Path, context: str, namespaces: tuple[str, ...], chosen: tuple[str, bool, bool], *, dry_run: bool
) -> int:
    """Clear a cluster, or list what is in it; return the exit code."""
    from gameday.undo.places import Choice, clear, open_place  # noqa: PLC0415 - heavy

    run, everything, force = chosen
    place = open_place("kubernetes", kubeconfig=str(kubeconfig), context=context, namespaces=namespaces)
    choice = Choice(run=Path(run).name, everything=everything, force=force)
    done = clear(place, choice, dry_run=dry_run)
    for line in done.lines:
        click.echo(line)
    return 0 if done.clean else Verdict.DIRTY.exit_code


def _one(folder: Path, *, dry_run: bool, named: bool) -> int:
    """Recover one run, or list it; return its exit code. With several, one that cannot be recovered does not stop the others."""
    from gameday.spi import GamedayError  # noqa: PLC0415 - heavy
    from gameday.undo.recover import open_work, recover_run  # noqa: PLC0415 - heavy

    prefix = "" if named else f"{folder.name}: "
    try:
        if dry_run:
            work = open_work(folder)
            lines, clean = work.lines(), not work.faults and not work.processes
        else:
            outcome = recover_run(folder, waiting=lambda text: click.echo(f"{prefix}{text}", err=True))
            lines, clean = outcome.lines(), outcome.clean
    except GamedayError as error:
        if named:
            raise
        lines, clean = [_unreadable(folder, error)], False
    for line in lines:
        loud = line.startswith("DIRTY")
        click.echo(f"DIRTY: {prefix}{line.removeprefix('DIRTY: ')}" if loud else f"{prefix}{line}")
    return 0 if clean else Verdict.DIRTY.exit_code


def _unreadable(folder: Path, error: Exception) -> str:
    """Say that a run cannot be recovered; one whose folder is gone is dropped from the list, for nothing is left to undo it from."""
    from gameday.undo.state import forget_run  # noqa: PLC0415 - heavy

    if not folder.exists():
        forget_run(folder)
        return f"DIRTY: its folder {folder} is gone: what it left can only be undone by hand; said this once"
    hint = getattr(error, "hint", "")
    return f"DIRTY: {error}" + (f"; {hint}" if hint else "")
