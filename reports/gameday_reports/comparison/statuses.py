"""What became of findings since earlier runs: new, regressed, unchanged, improved, fixed; and what has become better."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from gameday.model import Json
from gameday_reports import words
from gameday_reports.comparison.interval import newcombe
from gameday_reports.reading import number, part, parts, text, texts

Status = Literal["new", "regressed", "unchanged", "improved", "fixed", "unproven"]
"""``unproven``: the run before had it, this one does not, but does not prove either that it is gone: it stays open."""
WORDS: dict[Status, str] = {
    "new": "New", "regressed": "Regressed", "unchanged": "Unchanged", "improved": "Improved", "fixed": "Fixed",
    "unproven": "Not proven fixed",
}  # fmt: skip
SEVERITIES = ("high", "medium", "low", "info")
FASTER = 0.25
"""A recovery is called faster, or slower, from this share of the earlier time and two seconds on."""
_FASTER_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingStatus:
    """One finding of this run, or one of the run before that this run does not have."""

    fingerprint: str
    status: Status
    finding: Json
    """As verdict.json has it: this run's, or for ``fixed`` and ``unproven`` the earlier run's."""

    @property
    def word(self) -> str:
        """The status as people read it."""
        return WORDS[self.status]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodNews:
    """Something that is better than in the run before, beyond chance: a finding of severity info."""

    objective: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statuses:
    """What became of findings."""

    present: tuple[FindingStatus, ...] = ()
    """Of this run, in the order of its verdict."""
    gone: tuple[FindingStatus, ...] = ()
    """Of the run before: ``fixed`` or ``unproven``."""
    good: tuple[GoodNews, ...] = ()

    def of(self, fingerprint: str) -> str:
        """Return the status of a finding of this run in words; empty for an unknown one."""
        return next((one.word for one in self.present if one.fingerprint == fingerprint), "")


def statuses(verdict: Json, before: Json | None, *, earlier: Iterable[Json] = (), comparable: bool = True) -> Statuses:
    """Compare the findings of a verdict with those of the run before; None where there was none: then each is new.

    ``earlier`` are the entries of previous.json: a finding that an older run had and the run before did not is back.
    """
    if before is None:
        return Statuses(present=tuple(_status(raw, "new") for raw in parts(verdict, "findings")))
    older = {fingerprint for one in earlier for fingerprint in texts(one, "findings")}
    known = {text(raw, "fingerprint"): raw for raw in parts(before, "findings")}
    present: list[FindingStatus] = []
    for raw in parts(verdict, "findings"):
        fingerprint = text(raw, "fingerprint")
        if fingerprint in known:
            present.append(_status(raw, _again(known[fingerprint], raw, before, verdict, comparable=comparable)))
        else:
            present.append(_status(raw, "regressed" if fingerprint in older else "new"))
    here = {one.fingerprint for one in present}
    gone = [
        _status(raw, "fixed" if proves_gone(raw, verdict) else "unproven")
        for fingerprint, raw in known.items()
        if fingerprint not in here
    ]
    return Statuses(present=tuple(present), gone=tuple(gone), good=_good(verdict, before, comparable=comparable))


def proves_gone(finding: Json, verdict: Json) -> bool:
    """Whether a run that does not have a finding proves that it is gone: its objective is kept, or without one everything is."""
    about = finding.get("objective")
    if about is None:
        return text(verdict, "verdict") == "pass"
    return any(raw.get("name") == about and raw.get("verdict") == "pass" for raw in parts(verdict, "objectives"))


def severity_rank(finding: Json) -> int:
    """Return 0 for high, and more for what is less severe."""
    severity = text(finding, "severity").lower()
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _status(raw: Json, status: Status) -> FindingStatus:
    return FindingStatus(fingerprint=text(raw, "fingerprint"), status=status, finding=raw)


def _again(old: Json, new: Json, before: Json, now: Json, *, comparable: bool) -> Status:
    """Compare a finding that both runs have: by severity, then by the shares behind it."""
    rank, rank_now = severity_rank(old), severity_rank(new)
    if rank_now != rank:
        return "regressed" if rank_now < rank else "improved"
    found = _difference(_counts(before, new), _counts(now, new)) if comparable else None
    if found is None or found[0] <= 0 <= found[1]:
        return "unchanged"
    return "regressed" if found[0] > 0 else "improved"


def _difference(before: tuple[int, int] | None, now: tuple[int, int] | None) -> tuple[float, float] | None:
    return newcombe(*before, *now) if before is not None and now is not None else None


def _counts(verdict: Json, finding: Json) -> tuple[int, int] | None:
    """Return (k, n) of the criterion that a finding speaks of: its phase is ``fault:p95`` or ``baseline:errors``."""
    phase, _, metric = text(finding, "phase").partition(":")
    for raw in parts(verdict, "objectives"):
        if raw.get("name") != finding.get("objective"):
            continue
        for criterion in parts(raw, "criteria"):
            measured = part(part(criterion, "phases"), phase)
            n, k = number(measured, "n"), number(measured, "k")
            if metric and text(measured, "criterion").startswith(metric) and n and k is not None:
                return int(k), int(n)
    return None


def _good(verdict: Json, before: Json, *, comparable: bool) -> tuple[GoodNews, ...]:
    """Say what is better than before: proven now and not then; fewer bad requests beyond chance; back faster."""
    earlier = {text(raw, "name"): raw for raw in parts(before, "objectives")}
    found: list[GoodNews] = []
    for raw in parts(verdict, "objectives"):
        name = text(raw, "name")
        old = earlier.get(name)
        if old is None or raw.get("verdict") != "pass":
            continue
        if old.get("verdict") != "pass":
            was = "was broken" if old.get("verdict") == "fail" else "was not proven"
            found.append(GoodNews(objective=name, title=f"{name} is proven now; it {was} in the run before"))
        elif comparable:
            found += [
                GoodNews(objective=name, title=line) for line in (*_fewer(name, old, raw), *_faster(name, old, raw))
            ]
    return tuple(found)


def _fewer(name: str, old: Json, new: Json) -> Iterable[str]:
    before = {text(c, "during") or text(c, "expect"): part(part(c, "phases"), "fault") for c in parts(old, "criteria")}
    for criterion in parts(new, "criteria"):
        limit = text(criterion, "during") or text(criterion, "expect")
        pair = [before.get(limit, {}), part(part(criterion, "phases"), "fault")]
        counts = [(number(raw, "k"), number(raw, "n")) for raw in pair]
        if all(k is not None and n for k, n in counts):
            (k, n), (k_now, n_now) = [(int(k or 0), int(n or 0)) for k, n in counts]
            interval = newcombe(k, n, k_now, n_now)
            if interval is not None and interval[1] < 0:
                was, is_ = words.percent(k / n), words.percent(k_now / n_now)
                yield f"{name} ({limit}): {is_} bad while the fault was on; {was} in the run before"


def _faster(name: str, old: Json, new: Json) -> Iterable[str]:
    was, took = number(part(old, "recovery"), "seconds"), number(part(new, "recovery"), "seconds")
    if was is not None and took is not None and was - took >= max(_FASTER_SECONDS, FASTER * was):
        back = f"in {words.duration(took * 1000)}" if took else "at once"
        yield f"{name} recovered {back}; it took {words.duration(was * 1000)} in the run before"
