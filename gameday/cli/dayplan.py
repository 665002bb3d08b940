"""``gameday day plan``: what a game day would do, and what would refuse it; nothing is started."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gameday.cli.completing import complete_experiments
from gameday.cli.loading import Given
from gameday.cli.options import format_option, output_option
from gameday.cli.outcome import say
from gameday.cli.variables import variable_options
from gameday.model import Json, Verdict

if TYPE_CHECKING:
    from gameday.cli.dayloading import WholeDay
    from gameday.schema.day.loader import LoadedDay

EPILOG = """\b
Examples:
  gameday day plan gamedays/brown-out.yaml
  gameday day plan gamedays/brown-out.yaml --format json
"""


@click.command(epilog=EPILOG)
@click.argument(
    "path",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    shell_complete=complete_experiments,
)
@variable_options
@output_option("Where earlier runs are looked for.")
@format_option
def plan(*, path: Path, variables: dict[str, str], secret_values: dict[str, str], output: Path, form: str) -> None:
    """Say what the game day FILE would do, item by item: who is asked what, and each experiment's faults, targets and longest time.

    Nothing is started. Exit code 0: it can begin; 2: a file is invalid; 3: it, or one of its experiments, would be refused.
    """
    from gameday.cli.dayloading import load_plan  # noqa: PLC0415 - heavy

    whole = load_plan(path, Given(variables=variables, secret_values=secret_values))
    document = _document(whole, output)
    if form == "json":
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        for line in _lines(document):
            say(line)
    if document["refusals"] or any(run["refusals"] for item in _all(document) for run in item["runs"]):
        sys.exit(Verdict.INCONCLUSIVE.exit_code)


def _all(document: Json) -> list[Any]:
    return [*document["prerequisites"], *document["agenda"]]


def _document(whole: WholeDay, output: Path) -> dict[str, Any]:
    from gameday.gamedays.day.opening import environment_refusals  # noqa: PLC0415 - heavy
    from gameday.gamedays.day.progress import places  # noqa: PLC0415 - heavy

    assert whole.loaded is not None  # noqa: S101 - load_plan ends the program otherwise
    day = whole.loaded.day
    experiments = [one for each in whole.experiments.values() for one in each]
    items = [(place, _item(whole, whole.loaded, place, output)) for place in places(day)]
    longest = sum(run["longest_ms"] for _, item in items for run in item["runs"])
    return {
        "schema": "gameday/day-plan/1",
        "title": day.title,
        "goal": day.goal,
        "environment": day.environment,
        "roles": {role: list(day.people.people(role)) for role, _ in day.people.named()},
        "longest_ms": longest,
        "refusals": environment_refusals(day.environment, experiments),
        "needs": list(whole.needed),
        "prerequisites": [item for place, item in items if place[0] == "prerequisites"],
        "agenda": [item for place, item in items if place[0] == "agenda"],
    }


def _item(whole: WholeDay, loaded: LoadedDay, place: tuple[str, int], output: Path) -> dict[str, Any]:
    from gameday.cli.earlier import earlier_run  # noqa: PLC0415 - heavy
    from gameday.cli.outlook import outlook  # noqa: PLC0415 - heavy
    from gameday.gamedays.day.progress import asked_role, kind_of, title_of  # noqa: PLC0415 - heavy
    from gameday.runner.bounds import run_max_ms  # noqa: PLC0415 - heavy

    day = loaded.day
    found: dict[str, Any] = {"kind": kind_of(day, place), "title": title_of(day, place), "by": asked_role(day, place)}  # type: ignore[arg-type]
    if place[0] == "agenda":
        item = day.agenda[place[1]]
        found["blind"] = item.blind
        if item.manual is not None:
            found |= {"evidence": item.manual.evidence, "within_ms": item.manual.within}
    runs: list[dict[str, Any]] = []
    for one in whole.experiments.get(place, ()):
        document = outlook(one, earlier_run(one, output))
        faults = [f"{fault.name}: {fault.do}" for fault in one.experiment.faults]
        runs.append(
            {
                "title": one.experiment.title,
                "variant": dict(one.variant),
                "faults": faults,
                "longest_ms": run_max_ms(one.experiment),
                "refusals": [str(each["detail"]) for each in document["refusals"]],
            }
        )
    return {**found, "runs": runs}


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    yield str(document["title"])
    if document["goal"]:
        yield f"  {' '.join(str(document['goal']).split())}"
    for role, people in document["roles"].items():
        yield f"  {role}: {', '.join(people)}"
    if document["environment"]:
        yield f"  environment: {document['environment']}"
    for refusal in document["refusals"]:
        yield f"  REFUSED: {refusal}"
    for name, items in (("before", document["prerequisites"]), ("agenda", document["agenda"])):
        for number, item in enumerate(items, start=1):
            yield from _item_lines(f"{name} {number}", item)
    yield f"its experiments take at most {_minutes(document['longest_ms'])}"
    if document["needs"]:
        yield f"a run needs the secrets {', '.join(document['needs'])}"
    yield "each experiment in full: gameday plan FILE"


def _item_lines(number: str, item: Mapping[str, Any]) -> Iterator[str]:
    from gameday.gamedays.day.progress import WORDS  # noqa: PLC0415 - heavy

    about = [f"by {item['by']}"] if item["by"] else []
    about += ["blind"] if item.get("blind") else []
    about += ["evidence required"] if item.get("evidence") == "required" else []
    about += [f"within {_minutes(item['within_ms'])}"] if item.get("within_ms") else []
    said = f" ({', '.join(about)})" if about else ""
    yield f"{number}. {WORDS.get(item['kind'], item['kind'])}: {item['title']}{said}"
    for run in item["runs"]:
        variant = ", ".join(f"{name}={value}" for name, value in run["variant"].items())
        yield f"     {run['title']}" + (f" ({variant})" if variant else "") + f": at most {_minutes(run['longest_ms'])}"
        for fault in run["faults"]:
            yield f"       {fault}"
        for refusal in run["refusals"]:
            yield f"       REFUSED: {refusal}"


def _minutes(ms: int) -> str:
    from gameday.schema.units import format_duration  # noqa: PLC0415 - heavy

    return format_duration(max(1000, ms // 1000 * 1000))
