"""A whole Chaos Toolkit experiment, unchanged, as one fault: it runs in a process of its own, is followed, stopped and rolled back."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from gameday.model import Json, Plan, ProcessRef
from gameday.spi import DriverError, World
from gameday.spi.processes import alive, await_gone, reap, send
from gameday_drivers import chaostoolkit_lib as lib
from gameday_drivers.chaostoolkit_call import mapping, revealed, shown
from gameday_drivers.chaostoolkit_place import Place, Told, say

START_SECONDS = 30.0
"""How long it may take to load the experiment: its controls, its secrets, its extensions."""
STOP_SECONDS = 3.0
"""How long a stopped experiment may take to let go of what it is doing; then it is killed."""
_LOOK_SECONDS = 0.005
_MOST_TOLD = 500
_MOST_TARGETS = 50
_PLAYER = "gameday_drivers.chaostoolkit_child"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosToolkitExperiment:
    """Run a Chaos Toolkit experiment as it is; its rollbacks are the undo."""

    file: str = field(metadata={"help": "the experiment, JSON or YAML as Chaos Toolkit reads it"})
    variables: Mapping[str, Any] = field(
        default_factory=dict[str, Any], metadata={"help": "values for its configuration, as chaos run --var"}
    )
    rollback_timeout: int = field(
        default=120_000, metadata={"unit": "duration", "min": 1, "help": "how long all of its rollbacks may take"}
    )

    only_hypothesis: bool = field(
        default=False, metadata={"help": "look whether its steady state is met, and do nothing"}
    )

    name = "chaostoolkit.experiment"
    reversible = True
    provable = True
    inject_seconds = START_SECONDS
    settle_seconds = 0.0  # its process has ended, and nobody else tells
    inject_imports = ("gameday_drivers.chaostoolkit_child",)

    @property
    def revert_seconds(self) -> float:
        """Its rollbacks once in its own process and, where that is gone or hangs, once more in another."""
        return 2 * self.rollback_timeout / 1000 + 2 * STOP_SECONDS

    def plan(self, world: World) -> Plan:
        """Validate the experiment as Chaos Toolkit does, which imports its extensions; name its actions and its rollbacks."""
        path = Path(self.file).absolute()
        try:
            data = path.read_bytes()
        except OSError as error:
            raise DriverError(f"cannot read {path}: {error.strerror}") from None
        digest = hashlib.sha256(data).hexdigest()
        experiment = _valid(str(path), digest)
        known = _known(experiment)
        undo = {
            "file": str(path),
            "sha256": digest,
            "cwd": os.getcwd(),  # noqa: PTH109 - a text for the plan
            "place": Place.of(world).to_json(),
            "variables": dict(self.variables),
            "rollbacks": [_named(activity, known) for activity in experiment.get("rollbacks") or ()],
            "rollback_ms": self.rollback_timeout,
            "only_hypothesis": self.only_hypothesis,
        }
        nothing = ("nothing: only its hypothesis is evaluated",)
        targets = nothing if self.only_hypothesis else tuple(_targets(experiment, known))
        return Plan(driver=self.name, targets=targets, undo=undo)

    def inject(self, plan: Plan, world: World) -> None:
        """Start it, and return when it runs, or has ended already; raise DriverError when it cannot be loaded."""
        from gameday_drivers.chaostoolkit_child import fork  # noqa: PLC0415 - heavy

        place = _prepared(plan)
        try:
            fork(_setup(plan, world))
            end = time.monotonic() + START_SECONDS - 1
            while not (told := Told.at(place)).has("running", "refused", "stopped"):
                if time.monotonic() > end:
                    raise DriverError(f"it was not loaded within {START_SECONDS - 1:g} s")
                time.sleep(_LOOK_SECONDS)
        except OSError as error:
            raise DriverError(f"cannot start it: {error}") from error
        for refusal in told.of("refused"):
            raise DriverError(world.secrets.mask(str(refusal["error"])))

    def active(self, plan: Plan, world: World) -> bool:  # noqa: ARG002 - the interface
        """Say whether its process lives, or anything that it did is not rolled back."""
        told = Told.at(Place.from_json(plan.undo["place"]))
        return _lives(told.child) or bool(told.left(plan.undo["rollbacks"]))

    def follow(self, plan: Plan, world: World, seen: int, seconds: float) -> Json:  # noqa: ARG002 - the interface
        """Return what it has told beyond the first ``seen`` events, and whether and how it has ended; wait a moment for either."""
        place = Place.from_json(plan.undo["place"])
        end, child = time.monotonic() + seconds, None
        while True:
            child = child or Told.at(place).child
            lives = _lives(child)
            told = Told.at(place)
            news = told.events[seen : seen + _MOST_TOLD]
            over = not lives and seen + len(news) == len(told.events)
            if news or over or time.monotonic() >= end:
                return {"told": list(news), "over": over, "stopped": _stopped(told) if over else None}
            time.sleep(_LOOK_SECONDS)

    def revert(self, plan: Plan, world: World) -> None:
        """Stop it, let it play its rollbacks, and play in another process what is left of them."""
        place = Place.from_json(plan.undo["place"])
        seconds = plan.undo["rollback_ms"] / 1000
        _end(place, seconds)
        left = Told.at(place).left(plan.undo["rollbacks"])
        if not left:
            return
        asked = {"setup": _as_json(plan, world), "left": left}
        say_quietly(place, "replayed", left=left)
        done = world.spawn(
            [sys.executable, "-m", _PLAYER], timeout=seconds, env={"GAMEDAY_EXPERIMENT": json.dumps(asked)}
        )
        told = Told.at(place)
        still = [plan.undo["rollbacks"][index] for index in told.left(plan.undo["rollbacks"])]
        if still:
            errors = [
                str(e["error"]) for e in told.of("activity") if e.get("section") == "rollbacks" and e.get("error")
            ]
            why = errors[-1] if errors else done.output.strip().rpartition("\n")[2]
            raise DriverError(world.secrets.mask(f"rollback {', '.join(still)} failed: {why}"))


@lru_cache(maxsize=8)
def _valid(path: str, _sha256: str) -> Json:
    """Return a valid experiment; what is planned again just before it begins, and has not changed, is as valid as it was."""
    return lib.valid_experiment(path)


def _prepared(plan: Plan) -> Place:
    """Keep the experiment as it was planned, so that what runs is what will be rolled back."""
    place, file = Place.from_json(plan.undo["place"]), plan.undo["file"]
    try:
        data = Path(file).read_bytes()
        if hashlib.sha256(data).hexdigest() != plan.undo["sha256"]:
            raise DriverError(f"{file} has changed since it was planned")
        place.folder.mkdir(parents=True, exist_ok=True)
        place.copy(file).write_bytes(data)
        place.events.unlink(missing_ok=True)
        say(place, "planned", sure=True)
    except OSError as error:
        raise DriverError(f"cannot keep {file} for its rollbacks: {error.strerror}") from error
    return place


def _setup(plan: Plan, world: World) -> Any:
    from gameday_drivers.chaostoolkit_child import Setup  # noqa: PLC0415 - heavy

    raw = _as_json(plan, world)
    return Setup(
        place=Place.from_json(raw["place"]),
        file=raw["file"],
        cwd=raw["cwd"],
        variables=raw["variables"],
        only_hypothesis=bool(plan.undo["only_hypothesis"]),
    )


def _as_json(plan: Plan, world: World) -> dict[str, Any]:
    place = Place.from_json(plan.undo["place"])
    return {
        "place": plan.undo["place"],
        "file": str(place.copy(plan.undo["file"])),
        "cwd": plan.undo["cwd"],
        "variables": revealed(plan.undo["variables"], world),
    }


def say_quietly(place: Place, what: str, **data: Any) -> None:
    """Tell where that is possible: a full disk must not stop an undo."""
    with suppress(OSError):
        say(place, what, **data)


def _lives(child: ProcessRef | None) -> bool:
    if child is None:
        return False
    reap(child)
    return alive(child)


def _end(place: Place, seconds: float) -> None:
    """Stop its process: it may play its rollbacks, for so long; what does not even begin to is killed with all that it started."""
    child = Told.at(place).child
    if not _lives(child) or child is None:
        return
    say_quietly(place, "stopping")
    with suppress(DriverError):
        send(child, signal.SIGTERM)
    begin = time.monotonic()
    while _lives(child):
        told = Told.at(place)
        limit = seconds if told.has("rollbacks") else STOP_SECONDS
        if time.monotonic() - begin > limit:
            _kill(child)
            return
        time.sleep(_LOOK_SECONDS)


def _kill(child: ProcessRef) -> None:
    """End the group that it leads; raise DriverError when it does not go."""
    if alive(child):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    if not await_gone(child, STOP_SECONDS):
        raise DriverError(f"its process {child.pid} does not end, even on SIGKILL")
    reap(child)


def _stopped(told: Told) -> Json | None:
    """Say why it did not come to its end by itself; None when it did. Its own word for its end is not believed after a signal."""
    for event in told.of("signalled"):
        return {"reason": "signal", "detail": f"{event['signal']} was sent to the Chaos Toolkit process"}
    for _ in told.of("interrupted", "asked-to-stop"):
        return {
            "reason": "guard",
            "detail": "a control of the Chaos Toolkit experiment, or an extension, interrupted it",
        }
    if not told.has("ended"):
        return {"reason": "signal", "detail": "the Chaos Toolkit process ended before its experiment did"}
    return None


def _known(experiment: Json) -> dict[str, Json]:
    """Return every activity by its name, as ``ref`` finds it."""
    probes = (mapping(experiment.get("steady-state-hypothesis")) or {}).get("probes") or ()
    return {
        str(activity["name"]): activity
        for activity in (*(experiment.get("method") or ()), *probes)
        if activity.get("name")
    }


def _named(activity: Json, known: Mapping[str, Json]) -> str:
    return str(known.get(str(activity.get("ref")), activity).get("name"))


def _targets(experiment: Json, known: Mapping[str, Json]) -> Iterator[str]:
    """Name what its method does, action by action."""
    actions = [known.get(str(activity.get("ref")), activity) for activity in experiment.get("method") or ()]
    actions = [activity for activity in actions if activity.get("type") == "action"]
    for activity in actions[:_MOST_TARGETS]:
        yield f"{activity['name']}: {shown(activity['provider'])}"
    if len(actions) > _MOST_TARGETS:
        yield f"{len(actions) - _MOST_TARGETS} more actions"
    if not actions:
        yield "nothing: its method has no action"
