"""The ways themselves: the same situation as an experiment of either tool."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.falsegreen.toolkit import MARK, chaos_run, experiment, process, python, steady
from tests.harness import Lab, free_port, switch

PHASES = {"warmup": "200ms", "baseline": "1500ms", "recovery": "2500ms"}
OBJECTIVES = {"available": {"expect": "errors < 5%", "recover": {"within": "1s", "hold": "1s"}}}
Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What ``gameday run`` came to."""

    code: int
    says: str
    """The verdict and its reasons, or what the error says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One situation in which nothing is proven."""

    name: str
    says: str
    """As the table has it."""
    peer: Callable[[Lab], Document]
    """The experiment of ``chaos run``; it may prepare the lab."""
    ours: Callable[[Lab], Document]
    """Changes to the experiment of ``gameday run``, which passes without them; it may prepare the lab."""
    words: Sequence[str] = ()
    """Options of ``chaos run``."""
    interrupt: bool = False
    """Both get a SIGTERM while the fault is on."""

    def run_peer(self, lab: Lab) -> int:
        """Return the exit code of ``chaos run``."""
        return chaos_run(lab, self.peer(lab), self.words, interrupt=self.interrupt)

    def run_ours(self, lab: Lab) -> Ended:
        """Return what ``gameday run`` came to."""
        path = lab.write({**lab.document(), "phases": PHASES, "objectives": OBJECTIVES, **self.ours(lab)})
        if self.interrupt:
            return _interrupted(lab)
        ran = lab.run(path, timeout=90)
        if ran.code == 2:
            return Ended(code=2, says=_error(ran.err))
        return Ended(code=ran.code, says=_verdict(ran.verdict))


def _judged(lab: Lab) -> Document:
    document: Document = json.loads((lab.run_folder / "verdict.json").read_text())
    return document


def _verdict(document: Document) -> str:
    return f"{document['verdict']}: {', '.join(document['reasons'])}"


def _error(text: str) -> str:
    """The first located error, without its place."""
    lines = [line.partition("error[")[2] for line in text.splitlines() if "error[" in line]
    return f"refused: {lines[0].partition('] ')[2]}" if lines else "refused"


def _interrupted(lab: Lab) -> Ended:
    with lab.started(lab.folder / "experiment.yaml") as running:
        lab.await_event("active", when="proof")
        os.kill(running.pid, signal.SIGTERM)
        code = running.wait(60)
    return Ended(code=code, says=_verdict(_judged(lab)))


def flip(lab: Lab, name: str = "harmless", length: str = "1s", **changes: Any) -> Document:
    """One fault of ours on a switch of the target."""
    return {"flip": {"do": "command", "with": {**switch(lab.folder, name), **changes}, "at": "0s", "for": length}}


def on(lab: Lab, name: str = "harmless") -> Document:
    """Switch it on, in the other's words."""
    return process("on", ["touch", str(lab.folder / name)])


def off(lab: Lab, name: str = "harmless") -> Document:
    """Switch it off, in the other's words."""
    return process("off", ["rm", "-f", str(lab.folder / name)])


def shell(script: str) -> list[str]:
    """An argv."""
    return ["sh", "-c", script]


WAIT = process("wait", ["sleep", "1"])


def broken_before(lab: Lab) -> None:
    (lab.folder / "broken").touch()


def _before_peer(lab: Lab) -> Document:
    broken_before(lab)
    return experiment(lab, [on(lab), WAIT], [off(lab)])


def _before_ours(lab: Lab) -> Document:
    broken_before(lab)
    return {}


def _probe_peer(lab: Lab) -> Document:
    return experiment(lab, [on(lab, "broken"), steady(lab), off(lab, "broken")])


def _gauge_ours(lab: Lab) -> Document:
    depth = lab.folder / "depth"
    set_to = {
        "run": shell(f"echo 900 > {depth}"),
        "undo": ["rm", "-f", str(depth)],
        "active": ["test", "-e", str(depth)],
    }
    return {
        "slis": {"queue": {"http": f"http://127.0.0.1:{lab.port}/depth", "every": "200ms"}},
        "objectives": {
            **OBJECTIVES,
            "backlog": {"expect": "max(queue) < 100", "recover": {"within": "1s", "hold": "1s"}},
        },
        "faults": [{"fill": {"do": "command", "with": set_to, "at": "0s", "for": "1s"}}],
    }


def _middle_peer(lab: Lab) -> Document:
    return experiment(lab, [on(lab, "broken"), WAIT, off(lab, "broken")])


def _middle_ours(lab: Lab) -> Document:
    """The first fault of two breaks the target, and it is whole again before the other ends."""
    blip = {"blip": {"do": "command", "with": switch(lab.folder, "broken"), "at": "200ms", "for": "800ms"}}
    return {"faults": [flip(lab, length="2s"), blip]}


def _not_met_ours(lab: Lab) -> Document:
    side = {"side": {"listen": f"127.0.0.1:{free_port()}", "upstream": f"127.0.0.1:{lab.port}"}}
    return {"proxies": side, "faults": [{"down": {"do": "proxy.down", "with": {"proxy": "side"}, "for": "1s"}}]}


def _few_ours(lab: Lab) -> Document:
    return {
        "load": {**lab.document()["load"], "rate": "5/s"},
        "objectives": {"available": {"expect": "errors < 1%", "recover": {"within": "1s"}}},
        "phases": {**PHASES, "recovery": "62s"},
    }


def _gone_early(lab: Lab) -> list[str]:
    file = lab.folder / "harmless"
    return shell(f"touch {file}; (sleep 0.5; rm -f {file}) >/dev/null 2>&1 &")


WAYS: tuple[Way, ...] = (
    Way(
        name="broken-before",
        says="the steady state was already broken before the fault",
        peer=_before_peer,
        ours=_before_ours,
    ),
    Way(
        name="action-raises",
        says="the action that injects the fault raises",
        peer=lambda lab: experiment(lab, [python("on", "fail"), WAIT]),
        ours=lambda lab: {"faults": [flip(lab, run=["gameday-has-no-such-program"])]},
    ),
    Way(
        name="background-action-raises",
        says="the same, in the background",
        peer=lambda lab: experiment(lab, [{**python("on", "fail"), "background": True}, WAIT]),
        ours=lambda lab: {"faults": [flip(lab, run=["gameday-has-no-such-program"])]},
    ),
    Way(
        name="action-exits-1",
        says="the program that injects the fault exits with 1",
        peer=lambda lab: experiment(lab, [process("on", ["false"]), WAIT]),
        ours=lambda lab: {"faults": [flip(lab, run=["false"])]},
    ),
    Way(
        name="action-without-effect",
        says="the action succeeds and injects nothing",
        peer=lambda lab: experiment(lab, [process("on", ["true"]), WAIT]),
        ours=lambda lab: {"faults": [flip(lab, run=["true"])]},
    ),
    Way(
        name="action-too-late",
        says="the action takes longer than its own `timeout`",
        peer=lambda lab: experiment(lab, [python("on", "hold", arguments={"seconds": 3}, timeout=1)]),
        ours=lambda lab: {"faults": [flip(lab, run=["sleep", "3"], timeout="500ms")]},
    ),
    Way(
        name="fault-gone-early",
        says="the fault is gone before its time",
        peer=lambda lab: experiment(lab, [process("on", _gone_early(lab)), WAIT], [off(lab)]),
        ours=lambda lab: {"faults": [flip(lab, run=_gone_early(lab), length="2s")]},
    ),
    Way(
        name="no-traffic-met-it",
        says="the fault is on, where no request passes",
        peer=lambda lab: experiment(lab, [on(lab, "a-side-path-down"), WAIT], [off(lab, "a-side-path-down")]),
        ours=_not_met_ours,
    ),
    Way(
        name="probe-in-the-method",
        says="a probe in the method is out of its tolerance; here a value over its limit while the fault is on",
        peer=_probe_peer,
        ours=_gauge_ours,
    ),
    Way(
        name="bad-in-the-middle",
        says="every request fails while the fault is on, and it is over when one is sent afterwards",
        peer=_middle_peer,
        ours=_middle_ours,
    ),
    Way(
        name="watched-and-bad-in-the-middle",
        says="the same, watched the whole time (`--hypothesis-strategy continuously`)",
        peer=_middle_peer,
        words=("--hypothesis-strategy", "continuously", "--hypothesis-frequency", "0.2"),
        ours=_middle_ours,
    ),
    Way(
        name="watched-only-during",
        says="the same, watched only while it is on (`--hypothesis-strategy during-method-only`)",
        peer=_middle_peer,
        words=("--hypothesis-strategy", "during-method-only", "--hypothesis-frequency", "0.2"),
        ours=_middle_ours,
    ),
    Way(
        name="never-comes-back",
        says="the fault is undone, and the service does not come back",
        peer=lambda lab: experiment(lab, [on(lab), WAIT], [off(lab), on(lab, "broken")]),
        ours=lambda lab: {"faults": [flip(lab, undo=shell(f"rm -f {lab.folder}/harmless; touch {lab.folder}/broken"))]},
    ),
    Way(
        name="rollback-raises",
        says="the rollback raises; the fault stays on",
        peer=lambda lab: experiment(lab, [on(lab), WAIT], [python("off", "fail")]),
        ours=lambda lab: {"faults": [flip(lab, undo=["false"])]},
    ),
    Way(
        name="rollback-without-effect",
        says="the rollback succeeds and undoes nothing; the fault stays on",
        peer=lambda lab: experiment(lab, [on(lab), WAIT], [process("off", ["true"])]),
        ours=lambda lab: {"faults": [flip(lab, undo=["true"])]},
    ),
    Way(
        name="terminated",
        says="SIGTERM, as from a cancelled CI job, while the fault is on",
        peer=lambda lab: experiment(
            lab,
            [on(lab), python("hold", "hold_from", arguments={"seconds": 3, "mark": str(lab.folder / MARK)})],
            [off(lab)],
        ),
        ours=lambda lab: {"faults": [flip(lab, length="20s")]},
        interrupt=True,
    ),
    Way(
        name="misspelt-key",
        says="a misspelt key (`rolbacks`, `abrot`): the safety that it asks for is not there",
        peer=lambda lab: experiment(lab, [on(lab), WAIT], rolbacks=[off(lab)]),
        ours=lambda _: {"abrot": ["errors lose 1.5s of traffic beyond 10%"]},
    ),
    Way(
        name="nothing-to-judge",
        says="the file has no hypothesis, no objective",
        peer=lambda lab: experiment(lab, [on(lab), WAIT], [off(lab)], **{"steady-state-hypothesis": None}),
        ours=lambda _: {"objectives": {}},
    ),
    Way(
        name="too-few",
        says="one request answered well stands for “fewer than 1 % fail”",
        peer=lambda lab: experiment(lab, [on(lab), WAIT], [off(lab)]),
        ours=_few_ours,
    ),
)
