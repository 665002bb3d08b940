"""The verdict of a sample run: every figure is counted from its own load."""

from __future__ import annotations

from typing import Any

from gameday.model import LoadSeries
from tests.fakes.sample_facts import ABORT, DIGEST, HEAD, LOAD_MS, NAME, WALL, Outcome, Times, renamed

EXIT = {"pass": 0, "fail": 1, "inconclusive": 3, "aborted": 4, "dirty": 5}


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


def _criterion(load: LoadSeries, times: Times, endpoint: str, expect: str, during: str) -> dict[str, Any]:
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


def _objective(outcome: Outcome, load: LoadSeries, times: Times, index: int) -> dict[str, Any]:
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
        "name": renamed(name, index), "verdict": word, "reason": reason, "line": 31 + index, "endpoints": [endpoint],
        "criteria": criteria, "recovery": _recovery(outcome, times, index), "alert": None, "budget": budget, "warnings": [],
    }  # fmt: skip


def _recovery(outcome: Outcome, times: Times, index: int) -> dict[str, Any]:
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


def sample_verdict(outcome: Outcome, times: Times, load: LoadSeries, objectives: int) -> dict[str, Any]:
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


def _times(judged: list[dict[str, Any]], times: Times) -> dict[str, Any]:
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


def _fault(outcome: Outcome, times: Times, targets: list[str]) -> dict[str, Any]:
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
