"""Realistic judged runs in memory, one for each verdict, in the exact shape of docs/run-folder.md."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Literal

from gameday.model import Event, LoadSeries, Run
from tests.fakes.sample_load import Shape, sample_load

Outcome = Literal["pass", "fail", "aborted", "dirty", "inconclusive"]
OUTCOMES: tuple[Outcome, ...] = ("pass", "fail", "aborted", "dirty", "inconclusive")
NAME = "20260921-141320-checkout-survives-a-payments-outage-7f3a"
WALL = 1_790_000_000.123
DIGEST = "4c1e9ab0d5f2" + "0" * 52
HEAD = "9f86d081884c7d65" + "a" * 48
LOAD_MS, WARMUP_MS = 3_000, 10_000
ABORT = "errors lose 1.5s of traffic beyond 50%: 168 requests lost beyond it, 150 allowed"
EXIT = {"pass": 0, "fail": 1, "inconclusive": 3, "aborted": 4, "dirty": 5}


def sample_run(
    outcome: Outcome = "fail", *, baseline_s: int = 60, fault_s: int = 60, recovery_s: int = 60, objectives: int = 3
) -> Run:
    """Build a run that ended like this; every figure of its verdict is counted from its own load."""
    times = _Times(outcome, baseline_s, fault_s, recovery_s)
    load = sample_load(times.shape)
    verdict = _verdict(outcome, times, load, objectives)
    return Run(
        name=NAME,
        experiment=_experiment(times, objectives),
        plan=_plan(),
        events=tuple(_events(outcome, times, verdict)),
        head=HEAD,
        closed=True,
        load=load,
        verdict=json.loads(json.dumps(verdict)),
    )


class _Times:
    """When things happened, in ms of the run."""

    def __init__(self, outcome: Outcome, baseline_s: int, fault_s: int, recovery_s: int) -> None:
        self.baseline = (LOAD_MS + WARMUP_MS, LOAD_MS + WARMUP_MS + baseline_s * 1000)
        self.zero = self.baseline[1] + 350
        self.called = self.zero + 1
        self.proven = self.zero + 13
        self.fault_ms = fault_s * 1000
        self.injected = outcome != "inconclusive"
        held = min(self.fault_ms, 6_200) if outcome == "aborted" else self.fault_ms
        self.revert_called = self.zero + held
        self.reverted = self.revert_called + 21
        self.load_end = self.reverted + recovery_s * 1000 if self.injected else self.baseline[1] + 200
        self.ended = self.load_end + 1_400
        heals = {"pass": self.called + 900, "fail": self.reverted + 7_000}.get(outcome, self.reverted + 2_000)
        shares = {"pass": 0.06, "fail": 0.12, "aborted": 0.7, "dirty": 0.1, "inconclusive": 0.0}
        slow = {"pass": 120.0, "fail": 1_150.0, "aborted": 900.0, "dirty": 700.0, "inconclusive": 600.0}
        self.shape = Shape(
            start_ms=LOAD_MS,
            end_ms=self.load_end,
            fault=(self.called, self.reverted)
            if self.injected
            else (self.baseline[0] + baseline_s * 500, self.load_end),
            heals_ms=heals if self.injected else self.load_end,
            error_share=shares[outcome],
            slow_ms=slow[outcome],
        )


def _experiment(times: _Times, objectives: int) -> dict[str, Any]:
    wanted = [
        (
            "checkout-available",
            {
                "expect": "errors < 0.5%",
                "during": "errors < 5%",
                "where": {"endpoint": ["checkout"]},
                "recover": {"within": "20s"},
            },
        ),
        ("checkout-fast", {"expect": "p95 < 300ms", "during": "p95 < 1s", "where": {"endpoint": ["checkout"]}}),
        ("browse-unharmed", {"expect": "errors < 0.5%\np95 < 300ms", "where": {"endpoint": ["browse"]}}),
    ]
    return {
        "version": 1,
        "title": "Checkout survives a payments outage",
        "hypothesis": "With payments down, checkout queues the payment and answers within a second.",
        "owner": "team-checkout",
        "tags": ["dependency-outage"],
        "runbook": "https://runbooks.example.com/payments-down",
        "load": {
            "target": "http://127.0.0.1:8080",
            "rate": "100/s",
            "arrivals": "constant",
            "timeout": "5s",
            "requests": [
                {"name": "browse", "weight": 7, "get": "/products"},
                {"name": "checkout", "weight": 3, "post": "/checkout", "json": {"sku": "A1"}},
            ],
        },
        "objectives": {
            _renamed(name, index): body for index in range(objectives) for name, body in [wanted[index % 3]]
        },
        "phases": {
            "warmup": "10s",
            "baseline": f"{(times.baseline[1] - times.baseline[0]) // 1000}s",
            "recovery": "60s",
        },
        "faults": [
            {
                "name": "payments-down",
                "do": "proxy.down",
                "with": {"proxy": "payments"},
                "at": "0s",
                "for": f"{times.fault_ms // 1000}s",
            }
        ],
        "abort": ["errors lose 1.5s of traffic beyond 50%"],
    }


def _renamed(name: str, index: int) -> str:
    return name if index < 3 else f"{name}-{index // 3 + 1}"


def _plan() -> dict[str, Any]:
    return {
        "schema": "gameday/plan/1",
        "run_id": NAME,
        "seed": 1,
        "digest": DIGEST,
        "source": "experiments/dependency/payments-outage.yaml",
        "lines": {"objectives.checkout-available": 31},
        "environment": {
            "python": "3.11.7",
            "gameday": "0.1.0",
            "locust": "2.47.0",
            "chaostoolkit-lib": "1.44.0",
            "platform": "Linux-6.1-x86_64",
        },
        "command": ["gameday", "run", "experiments/dependency/payments-outage.yaml", "--seed", "1"],
    }


def _counted(load: LoadSeries, endpoint: str, span: tuple[int, int], limit_us: int | None) -> tuple[int, int]:
    n = k = 0
    for row in load.rows:
        if row.endpoint == endpoint and row.slot * 100 >= span[0] and row.slot * 100 + 100 <= span[1]:
            n += row.count
            k += row.count if row.kind != "ok" else row.slower.get(limit_us, 0) if limit_us else 0
    return n, k


def _phase(text: str, budget: float, counts: tuple[int, int], *, judged: bool = True) -> dict[str, Any]:
    n, k = counts
    share = k / n if n else None
    word = ("inconclusive" if share is None else "fail" if share > budget else "pass") if judged else None
    reason = {"pass": "proven", "fail": "broken", "inconclusive": "no-data", None: None}[word]
    return {"criterion": text, "n": n, "k": k, "budget": budget, "share": share, "result": word, "reason": reason}


def _criterion(load: LoadSeries, times: _Times, endpoint: str, expect: str, during: str) -> dict[str, Any]:
    budgets = {
        "errors < 0.5%": (0.005, None),
        "errors < 5%": (0.05, None),
        "p95 < 300ms": (0.05, 300_000),
        "p95 < 1s": (0.05, 1_000_000),
    }
    (allowed, us), (allowed_during, us_during) = budgets[expect], budgets[during]
    phases = {"baseline": _phase(expect, allowed, _counted(load, endpoint, times.baseline, us))}
    if times.injected:
        onset = (times.called // 100 * 100, times.proven // 100 * 100 + 100)
        phases["onset"] = _phase(during, allowed_during, _counted(load, endpoint, onset, us_during), judged=False)
        phases["fault"] = _phase(
            during, allowed_during, _counted(load, endpoint, (times.proven, times.reverted), us_during)
        )
        after = _counted(load, endpoint, (times.reverted, times.load_end), us)
        phases["recovery"] = _phase(expect, allowed, after, judged=False)
    return {"expect": expect, "during": during, "phases": phases, "baseline": None}


def _objective(outcome: Outcome, load: LoadSeries, times: _Times, index: int) -> dict[str, Any]:
    name, endpoint, pairs = (
        ("checkout-available", "checkout", [("errors < 0.5%", "errors < 5%")]),
        ("checkout-fast", "checkout", [("p95 < 300ms", "p95 < 1s")]),
        ("browse-unharmed", "browse", [("errors < 0.5%", "errors < 0.5%"), ("p95 < 300ms", "p95 < 300ms")]),
    )[index % 3]
    criteria = [_criterion(load, times, endpoint, *pair) for pair in pairs]
    results = [
        phase["result"] for criterion in criteria for name_, phase in criterion["phases"].items() if name_ == "fault"
    ]
    word, reason = ("fail", "broken") if "fail" in results else ("pass", "proven")
    if not times.injected:
        word, reason = "inconclusive", "baseline"
    n, k = _counted(load, endpoint, (times.baseline[0], times.load_end), None)
    budget = {"bad": k, "total": n, "used": k / (0.005 * n), "burn_rate": k / n / 0.005, "outage_ms": 1200, "slo": None}
    return {
        "name": _renamed(name, index), "verdict": word, "reason": reason, "line": 31 + index, "endpoints": [endpoint],
        "criteria": criteria, "recovery": _recovery(outcome, times, index), "alert": None, "budget": budget, "warnings": [],
    }  # fmt: skip


def _recovery(outcome: Outcome, times: _Times, index: int) -> dict[str, Any]:
    within = 20_000 if index % 3 == 0 else 50_000
    slow = index % 3 < 2 and outcome != "pass"
    found = {
        "within_ms": within,
        "hold_ms": 10_000,
        "relapses": 0,
        "bad_seconds": 7 if slow else 0,
        "from_ms": times.reverted,
    }
    if not times.injected:
        return found | {
            "seconds": None,
            "result": "inconclusive",
            "reason": "baseline",
            "bad_seconds": 0,
            "from_ms": None,
        }
    if outcome == "fail" and index % 3 == 1:
        return found | {"seconds": None, "result": "fail", "reason": "broken"}
    seconds = (times.shape.heals_ms - times.reverted) / 1000 if slow else 0.0
    return found | {"seconds": seconds, "result": "pass", "reason": "proven"}


def _verdict(outcome: Outcome, times: _Times, load: LoadSeries, objectives: int) -> dict[str, Any]:
    judged = [_objective(outcome, load, times, index) for index in range(objectives)]
    broken = [objective["name"] for objective in judged if objective["verdict"] == "fail"]
    reasons = {
        "pass": ["proven"],
        "fail": ["broken"],
        "aborted": ["guard"],
        "dirty": ["residue"],
        "inconclusive": ["baseline"],
    }
    phases = [("warmup", (LOAD_MS, times.baseline[0])), ("baseline", times.baseline)]
    windows = [("baseline", times.baseline)]
    if times.injected:
        phases += [
            ("gate", (times.baseline[1], times.zero)),
            ("fault", (times.zero, times.reverted)),
            ("recovery", (times.reverted, times.load_end)),
        ]
        windows += [
            ("onset", (times.called, times.proven)),
            ("fault", (times.proven, times.reverted)),
            ("recovery", (times.reverted, times.load_end)),
        ]
    else:
        phases.append(("gate", (times.baseline[1], times.load_end)))
    targets = ["proxy payments (127.0.0.1:9102 → 127.0.0.1:9002)"]
    residue = [{"fault": "payments-down", "targets": targets, "command": f"gameday recover {NAME}"}]
    return {
        "schema": "gameday/verdict/1", "run": NAME, "title": "Checkout survives a payments outage",
        "verdict": outcome, "exit_code": EXIT[outcome],
        "reasons": reasons[outcome], "aborted_by": "guard" if outcome == "aborted" else None, "objectives_broken": broken,
        "summary": _summary(outcome, judged), "objectives": judged, "times": _times(judged, times),
        "faults": [_fault(outcome, times, targets)],
        "abort": {"reason": "guard", "detail": ABORT, "at_ms": times.revert_called - 5} if outcome == "aborted" else None,
        "stopped": {"reason": "baseline", "detail": "checkout-fast did not hold"} if outcome == "inconclusive" else None,
        "phases": [{"name": name, "from_ms": span[0], "to_ms": span[1]} for name, span in phases],
        "windows": [{"name": name, "from_ms": span[0], "to_ms": span[1]} for name, span in windows],
        "load": _load(load), "findings": _findings(judged), "started_wall": WALL, "ended_ms": times.ended,
        "boot_id": "5f1f6ac3-0000-4000-8000-6f3b3a1c9e21", "seed": 1, "digest": DIGEST, "journal_head": HEAD, "closed": True,
        "residue": residue if outcome == "dirty" else [],
    }  # fmt: skip


def _times(judged: list[dict[str, Any]], times: _Times) -> dict[str, Any]:
    """As the judge measures them: no alert is an objective here, so nothing says when the fault was detected."""
    nothing = {"ms": None, "source": None}
    slowest = max(
        judged, key=lambda row: float("inf") if row["recovery"]["seconds"] is None else row["recovery"]["seconds"]
    )
    seconds, source = slowest["recovery"]["seconds"], f"steady state of {slowest['name']}"
    back = None if seconds is None else round(1000 * seconds)
    mitigated = None if back is None else times.reverted - times.proven + back
    return {
        "detect": nothing,
        "mitigate": {"ms": mitigated, "source": f"{source} regained"},
        "recover": {"ms": back, "source": source},
    }


def _summary(outcome: Outcome, judged: list[dict[str, Any]]) -> str:
    if outcome == "inconclusive":
        return "The steady state did not hold before the fault, so nothing was injected and nothing is proven."
    fault = judged[0]["criteria"][0]["phases"]["fault"]
    said = f"{fault['k']:,} of {fault['n']:,} checkouts failed"
    ends = {
        "pass": "and every objective held.", "fail": "and checkout was slower than its objective allows.",
        "aborted": "and a guard stopped the run.", "dirty": "and the fault could not be proven gone.",
    }  # fmt: skip
    return f"While payments was down, {said}, {ends[outcome]}"


def _fault(outcome: Outcome, times: _Times, targets: list[str]) -> dict[str, Any]:
    on = times.injected
    dirty = outcome == "dirty"
    return {
        "name": "payments-down", "driver": "proxy.down", "targets": targets, "planned_targets": targets, "reversible": True,
        "planned_ms": {"at": 0, "for": times.fault_ms},
        "armed_ms": times.zero - 120 if on else None, "called_ms": times.called if on else None, "proven_ms": times.proven if on else None,
        "revert_called_ms": times.revert_called if on else None, "reverted_ms": None if dirty or not on else times.reverted,
        "proof": "proven" if on else "unproven", "undo": "failed" if dirty else "proven" if on else "not-needed", "by": "runner",
        "met": 1_804 if on else None, "verdict": "dirty" if dirty else "pass" if on else "inconclusive",
        "reason": "residue" if dirty else "proven" if on else "skipped",
        "detail": f"Connections were {'still refused 5 s after' if dirty else 'refused until'} the revert." if on else "",
        "residue": f"gameday recover {NAME}" if dirty else None,
    }  # fmt: skip


def _load(load: LoadSeries) -> dict[str, Any]:
    from gameday.spi.histogram import quantile  # noqa: PLC0415 - only this function needs it

    names = sorted({row.endpoint for row in load.rows})
    by_endpoint: list[dict[str, Any]] = []
    for name in names:
        kinds: dict[str, int] = {}
        buckets: dict[int, int] = {}
        for row in (row for row in load.rows if row.endpoint == name):
            kinds[row.kind] = kinds.get(row.kind, 0) + row.count
        for histogram in (histogram for histogram in load.histograms if histogram.endpoint == name):
            for key, count in histogram.buckets.items():
                buckets[key] = buckets.get(key, 0) + count
        latency = {f"p{q}_ms": round((quantile(buckets, q / 100) or 0) / 1000, 3) for q in (50, 95, 99)}
        total = sum(kinds.values())
        by_endpoint.append({"name": name, "n": total, "bad": total - kinds.get("ok", 0), "kinds": kinds, **latency})
    offered = sum(row.count for row in load.rows)
    return {
        "target": "http://127.0.0.1:8080", "model": "open", "rate": 100.0, "users": 0,
        "offered": offered, "completed": offered, "capped": 0, "generator_errors": 0,
        "late_share": 0.0, "lag_p99_ms": 2.1, "cpu": 0.22, "healthy": True, "problems": [], "by_endpoint": by_endpoint,
    }  # fmt: skip


def _findings(judged: list[dict[str, Any]]) -> list[dict[str, Any]]:
    findings: list[dict[str, Any]] = []
    for objective in judged:
        if objective["verdict"] != "fail":
            continue
        fault = objective["criteria"][0]["phases"]["fault"]
        findings.append(
            {
                "id": f"F{len(findings) + 1}", "fingerprint": f"{DIGEST[:8]}/{objective['name']}/payments-down", "severity": "high",
                "rule": "broken", "phase": f"fault:{fault['criterion'].split()[0]}",
                "title": f"payments-down broke {objective['name']}: {fault['k']:,} of {fault['n']:,} requests were bad, "
                f"{fault['budget']:.0%} allowed",
                "saw": f"While payments-down was on, {fault['share']:.1%} of the requests did not keep {fault['criterion']}.",
                "matters": "An outage of payments this long would break the objective, and no automatic control acted.",
                "next": "Look at the timeout and the fallback of the calls to payments, then run this experiment again.",
                "objective": objective["name"], "faults": ["payments-down"],
            }
        )  # fmt: skip
    return findings


def _events(outcome: Outcome, times: _Times, verdict: dict[str, Any]) -> Iterable[Event]:
    told = sorted(_told(outcome, times, verdict), key=lambda item: item[0])
    for seq, (at_ms, kind, data) in enumerate(told):
        yield Event(seq=seq, kind=kind, at_ms=at_ms, wall=WALL + at_ms / 1000, data=data)


def _told(outcome: Outcome, times: _Times, verdict: dict[str, Any]) -> list[tuple[int, str, dict[str, Any]]]:
    fault = {"fault": "payments-down"}
    load = verdict["load"]
    told: list[tuple[int, str, dict[str, Any]]] = [
        (0, "opened", {key: verdict[key] for key in ("title", "boot_id", "seed", "digest")} | {"run_id": NAME, "pid": 4242, "start": 99}),
        (4, "watchdog-started", {"pid": 4243, "start": 100, "lease_ms": 90_000}),
        (31, "proxy-started", {"names": ["payments"], "control": "http://127.0.0.1:8474", "pid": 4244, "start": 101}),
        (60, "process-started", {"name": "payments", "pid": 4245, "start": 102}),
        (61, "process-started", {"name": "shop", "pid": 4246, "start": 103}),
        (910, "process-ready", {"name": "payments", "pid": 4245, "start": 102}),
        (1_240, "process-ready", {"name": "shop", "pid": 4246, "start": 103}),
        (1_300, "planned", {**fault, "driver": "proxy.down", "targets": verdict["faults"][0]["targets"], "undo": "restored"}),
        (2_600, "load-started", {"pid": 4250}),
        (LOAD_MS, "phase", {"name": "warmup"}),
        (times.baseline[0], "phase", {"name": "baseline"}),
        (times.baseline[1], "phase", {"name": "gate"}),
        (times.baseline[1] + 150, "gate", {"passed": times.injected, "objectives": _gate(verdict)}),
        (times.load_end, "phase", {"name": "end"}),
        (times.load_end + 120, "load-stopped", {"offered": load["offered"], "completed": load["completed"], "drained": True}),
        (times.ended - 300, "process-stopped", {"name": "shop", "pid": 4246, "start": 103}),
        (times.ended - 280, "process-stopped", {"name": "payments", "pid": 4245, "start": 102}),
        (times.ended, "closed", {"undone": outcome != "dirty"}),
    ]  # fmt: skip
    if not times.injected:
        return told
    told += [
        (times.zero - 120, "armed", {**fault, "plan": {}}),
        (times.zero, "phase", {"name": "fault"}),
        (times.called, "inject-called", fault),
        (times.called + 7, "injected", {**fault, "seconds": 0.007}),
        (times.proven, "active", {**fault, "active": True, "when": "proof"}),
        *(
            (at, "active", {**fault, "active": True, "when": "hold"})
            for at in range(times.proven + 1_000, times.revert_called, 1_000)
        ),
        (times.revert_called - 4, "active", {**fault, "active": True, "when": "before-revert"}),
        (times.revert_called - 2, "met", {**fault, "count": 1_804}),
        (times.revert_called, "revert-called", {**fault, "by": "runner"}),
        (times.reverted, "phase", {"name": "recovery"}),
    ]
    if outcome == "aborted":
        told.append((times.revert_called - 5, "abort", {"reason": "guard", "detail": ABORT}))
    if outcome == "dirty":
        told.append(
            (
                times.reverted + 5_000,
                "still-active",
                {**fault, "by": "runner", "error": "connections are still refused"},
            )
        )
    else:
        told.append((times.reverted, "reverted", {**fault, "by": "runner", "proven": True}))
    return told


def _gate(verdict: dict[str, Any]) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = []
    for objective in verdict["objectives"]:
        phase = objective["criteria"][0]["phases"]["baseline"]
        result.append({"name": objective["name"], **{key: phase[key] for key in ("result", "reason", "n", "k")}})
    return result
