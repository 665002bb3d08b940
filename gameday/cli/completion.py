"""``gameday completion``: what a shell needs to complete verbs, options, experiment files, run folders and drivers."""

from __future__ import annotations

import click

EPILOG = """\b
Examples:
  gameday completion bash > ~/.local/share/bash-completion/completions/gameday
  gameday completion zsh > "${fpath[1]}/_gameday"
  gameday completion fish > ~/.config/fish/completions/gameday.fish
"""
_WHERE = {
    "bash": "save it as ~/.local/share/bash-completion/completions/gameday, or put into ~/.bashrc:\n"
    '  eval "$(gameday completion bash)"',
    "zsh": 'save it as _gameday in a folder of $fpath, or put into ~/.zshrc, after compinit:\n  eval "$(gameday completion zsh)"',
    "fish": "save it as ~/.config/fish/completions/gameday.fish, or put into ~/.config/fish/config.fish:\n"
    "  gameday completion fish | source",
}


@click.command(epilog=EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL to stdout, and to stderr where to put it. Bash needs 4.4 or newer."""
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - only here

    made = get_completion_class(shell)
    assert made is not None  # noqa: S101 - click has these three
    script = made(ctx.find_root().command, {}, "gameday", "_GAMEDAY_COMPLETE").source_template
    click.echo(script % _names())
    click.echo(f"# {shell}: {_WHERE[shell]}", err=True)


def _names() -> dict[str, str]:
    """Return what click's own templates ask for."""
    return {
        "complete_func": "_gameday_completion",
        "complete_var": "_GAMEDAY_COMPLETE",
        "prog_name": "gameday",
    }
