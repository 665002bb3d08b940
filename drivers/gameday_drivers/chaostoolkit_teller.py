"""What a Chaos Toolkit experiment does, told while it does it; and how it is stopped so that its rollbacks are still played.

chaoslib writes its journal once, at the end. Whoever undoes an experiment whose process was killed must know sooner: that its method has
begun is on the disk before its first activity.
"""

# pyright: reportMissingTypeStubs=false, reportIncompatibleMethodOverride=false
# chaoslib has annotations, but they are neither published nor true

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from typing import Any

import chaoslib.activity
from chaoslib.exceptions import ActivityFailed
from chaoslib.run import RunEventHandler

from gameday_drivers.chaostoolkit_call import mapping
from gameday_drivers.chaostoolkit_place import Place, say

_STOPPED = 20
"""SystemExit code with which chaoslib stops gracefully; see chaoslib.exit."""
_SHOWN = 500
_MOST_VIOLATIONS = 100


class Teller(RunEventHandler):  # type: ignore[misc]  # chaoslib has no types
    """Listens to one run of chaoslib and tells it to the place's events."""

    def __init__(self, place: Place, *, strategy: str) -> None:
        self.place = place
        self.strategy = strategy
        """The file's own strategy for rollbacks: it still decides where nothing was done that they could undo."""
        self.stopping = False
        self.section = "setup"
        self.began = False
        self.violations = self.iterations = 0
        self.journal: Mapping[str, Any] = {}
        self.hidden: list[str] = []
        self._during = 0

    def tell(self, what: str, *, sure: bool = False, **data: Any) -> None:
        """Tell; nothing is begun that cannot be told, and everything that was begun goes on."""
        try:
            say(self.place, what, sure=sure, **data)
        except OSError:
            if not self.began:
                os._exit(74)

    def mask(self, text: str) -> str:
        """Take the experiment's own secrets out of a text, and what is too long of it."""
        for secret in self.hidden:
            text = text.replace(secret, "***")
        return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"

    # chaoslib's own events, in the order in which they come

    def started(self, experiment: Any, journal: Any) -> None:  # noqa: ARG002 - chaoslib's signature
        """Keep the journal that chaoslib fills."""
        self.journal = journal

    def running(self, experiment: Any, journal: Any, configuration: Any, secrets: Any, *_: Any) -> None:  # noqa: ARG002 - chaoslib's signature
        """Take the signals over: chaoslib 1.44 swallows SIGTERM inside an action, and goes on."""
        self.hidden = sorted(_texts(secrets), key=len, reverse=True)
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            signal.signal(signum, self._stop)
        keep_back(self)
        self.tell("running")

    def _stop(self, signum: int, _frame: Any) -> None:
        """Stop once, whatever is being done but a rollback; SIGUSR1 is an extension's own wish to stop."""
        asked = signum == signal.SIGUSR1
        self.tell("asked-to-stop" if asked else "signalled", signal=signal.Signals(signum).name)
        if self.stopping or self.section == "rollbacks":
            return
        self.stopping = True
        raise SystemExit(_STOPPED)

    def start_hypothesis_before(self, experiment: Any) -> None:  # noqa: ARG002 - chaoslib's signature
        """Take note of the gate."""
        self.section = "before"

    def hypothesis_before_completed(self, experiment: Any, state: Any, journal: Any) -> None:  # noqa: ARG002 - chaoslib's signature
        """Tell whether steady state held."""
        self._hypothesis("before", state)

    def start_method(self, experiment: Any) -> None:  # noqa: ARG002 - chaoslib's signature
        """Tell, before anything else, that from here on there may be something to undo."""
        self.tell("method", sure=True)
        self.section, self.began = "method", True

    def method_completed(self, experiment: Any, state: Any = None) -> None:  # noqa: ARG002 - chaoslib's signature
        """Tell that the method is over."""
        self.section = "after"
        self.tell("method-over")

    def start_continuous_hypothesis(self, frequency: int) -> None:  # noqa: ARG002 - chaoslib's signature
        """Remember whose probes these are: they run in a thread of their own."""
        self._during = threading.get_ident()

    def continuous_hypothesis_iteration(self, iteration_index: int, state: Any) -> None:  # noqa: ARG002 - chaoslib's signature
        """Count, and tell of every violation."""
        self.iterations += 1
        if state is not None and not state["steady_state_met"]:
            self.violations += 1
            if self.violations <= _MOST_VIOLATIONS:
                self._hypothesis("during", state)

    def continuous_hypothesis_completed(self, experiment: Any, journal: Any, exception: Any = None) -> None:  # noqa: ARG002 - chaoslib's signature
        """Tell that a probe raised what nobody expected, which ends the watch."""
        if exception is not None:
            self.tell("watch-failed", error=self.mask(f"{type(exception).__name__}: {exception}"))

    def hypothesis_after_completed(self, experiment: Any, state: Any, journal: Any) -> None:  # noqa: ARG002 - chaoslib's signature
        """Tell whether steady state held again."""
        self._hypothesis("after", state)

    def start_rollbacks(self, experiment: Any) -> None:
        """Play none where the method never began and the file's own strategy would not: there is nothing to undo."""
        self.section = "rollbacks"
        if not self.began and not self._would_play():
            experiment["rollbacks"] = []
        self.tell("rollbacks")

    def _would_play(self) -> bool:
        if self.strategy == "deviated":
            return bool(self.journal.get("deviated"))
        return self.strategy == "always" or (
            self.strategy == "default" and self.journal.get("status") not in ("failed", "interrupted")
        )

    def interrupted(self, experiment: Any, journal: Any) -> None:  # noqa: ARG002 - chaoslib's signature
        """Tell that a control of the experiment, or an extension, has interrupted it."""
        self.tell("interrupted")

    def start_activity(self, activity: Any) -> None:
        """Tell what is about to be done, before it is."""
        if self._where() in ("method", "rollbacks"):
            self.tell("begins", section=self._where(), name=str(activity.get("name")))

    def activity_completed(self, activity: Any, run: Any) -> None:
        """Tell how it ended."""
        where = self._where()
        if where not in ("method", "rollbacks"):
            return
        error = str((run.get("exception") or [""])[-1]).strip().removeprefix("chaoslib.exceptions.ActivityFailed: ")
        self.tell(
            "activity",
            section=where,
            type=str(activity.get("type")),
            name=str(activity.get("name")),
            status=str(run.get("status", "interrupted")),
            seconds=round(float(run.get("duration") or 0.0), 6),
            error=self.mask(error),
            dry=bool(activity.get("dry")),
        )

    def _where(self) -> str:
        return "during" if threading.get_ident() == self._during else self.section

    def _hypothesis(self, when: str, state: Any) -> None:
        if state is None:
            return
        probes = [
            {
                "name": str(run["activity"].get("name")),
                "status": str(run.get("status")),
                "met": bool(run.get("tolerance_met")),
                "output": self.mask(repr(run.get("output"))[:200]),
                "error": self.mask(str((run.get("exception") or [""])[-1]).strip()),
            }
            for run in state["probes"]
        ]
        self.tell("hypothesis", when=when, met=bool(state["steady_state_met"]), probes=probes)


def keep_back(teller: Teller) -> None:
    """Let nothing begin after a stop: chaoslib lets a background activity that is still pausing act when its pause is over."""
    carry_out = chaoslib.activity.run_activity

    def guarded(activity: Any, configuration: Any, secrets: Any) -> Any:
        if teller.stopping and teller.section != "rollbacks":
            raise ActivityFailed("it was not begun: the experiment had been stopped")
        return carry_out(activity, configuration, secrets)

    chaoslib.activity.run_activity = guarded


def _texts(value: Any) -> set[str]:
    """Return every text in the experiment's secrets, which are mappings, that is long enough to be one."""
    if isinstance(value, str):
        return {value} if len(value) > 3 else set()  # noqa: PLR2004 - "yes" is no secret
    named = mapping(value) or {}
    return {text for part in named.values() for text in _texts(part)}
