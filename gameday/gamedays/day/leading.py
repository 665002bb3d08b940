"""What is done at each kind of item, and in which order: the day from its first prerequisite to its verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import Any

from gameday.gamedays.day.hearing import Pump
from gameday.gamedays.day.progress import INTERRUPTED, WORDS, Place, kind_of, places, title_of
from gameday.gamedays.day.session import NOBODY, Answer, DayStoppedError, DayUnwritableError, Session, write_verdict
from gameday.journal.folder import RunFolder
from gameday.journal.writer import JournalError
from gameday.model import Reason, Verdict
from gameday.runner.ending import Judged
from gameday.runner.folder import new_run_id
from gameday.schema.errors import ExperimentErrors
from gameday.schema.loader import Loaded
from gameday.schema.units import format_duration
from gameday.spi.errors import GamedayError

_SEEDS = 2**31
_STOPPED = (str(Reason.SIGNAL), str(Reason.PERSON))
_NEED_PEOPLE = ("check", "manual", "go_no_go")


def lead(session: Session) -> dict[str, Any]:
    """Lead the day on from where it is to its end, or until it is stopped; return its verdict.json, which is written.

    Nothing is left on when this returns, and nothing that was said is lost. Raises DayUnwritableError when its folder takes nothing more.
    """
    try:
        return _lead(session)
    except (JournalError, OSError) as error:
        hint = f"free space on that disk, then: gameday day resume {session.folder.path}"
        raise DayUnwritableError(str(error), max(session.worst, Verdict.INCONCLUSIVE), hint=hint) from error


def _lead(session: Session) -> dict[str, Any]:
    try:
        if _refused_unattended(session):
            return session.close()
        while (place := session.next_place()) is not None:
            session.check_stop()
            if not _do(session, place):
                break
        return session.close()
    except DayStoppedError:
        session.journal.sync()
        return write_verdict(session.folder)


def refuse(session: Session, reason: str, why: str) -> None:
    """Write down why nothing more is done."""
    session.journal.write("refused", {"reason": reason, "why": why})
    session.desk.say(f"refused: {why}")


def _refused_unattended(session: Session) -> bool:
    people = [place for place in places(session.file) if kind_of(session.file, place) in _NEED_PEOPLE]
    if session.desk.attended or session.file.unattended != "refuse" or not people:
        return False
    refuse(
        session, "unattended", f"nobody is there for {title_of(session.file, people[0])!r}, and the file says refuse"
    )
    return True


def _do(session: Session, place: Place) -> bool:
    """Do one thing; return whether the day goes on after it."""
    kind, title = kind_of(session.file, place), title_of(session.file, place)
    number = f"{place[1] + 1}/{len(session.file.agenda)}" if place[0] == "agenda" else "before"
    session.desk.say(f"\n[{number}] {WORDS.get(kind, kind)}: {title}")
    again = session.progress.at(place).broken_off
    work: dict[str, Callable[[Session, Place, bool], bool]] = {
        "check": _check,
        "experiment": _experiment,
        "manual": _manual,
        "go_no_go": _go_no_go,
    }
    return work.get(kind, _talk)(session, place, again)


def _talk(session: Session, place: Place, _again: bool) -> bool:  # noqa: FBT001 - one signature for all kinds
    item = session.file.agenda[place[1]]
    session.start_item(place)
    if session.desk.attended:
        answer = session.ask(session.question(place), f"  {item.brief or item.debrief}")
        session.end_item(place, "done", answer)
    else:
        session.end_item(place, "skipped", _nobody())
    return True


def _nobody() -> Answer:
    return Answer(word="", by="", role="", text=NOBODY)


def _check(session: Session, place: Place, _again: bool) -> bool:  # noqa: FBT001 - one signature for all kinds
    session.start_item(place)
    if not session.desk.attended:
        session.end_item(place, "skipped", _nobody())
        return True
    answer = session.ask(session.question(place), "  Is it so?")
    session.end_item(place, "met" if answer.word == "yes" else "not-met", answer)
    if answer.word == "no":
        refuse(
            session,
            "prerequisite",
            f"{title_of(session.file, place)}: not so" + f" ({answer.text})" * bool(answer.text),
        )
    return answer.word == "yes"


def _manual(session: Session, place: Place, _again: bool) -> bool:  # noqa: FBT001 - one signature for all kinds
    manual = session.file.agenda[place[1]].manual
    assert manual is not None  # noqa: S101 - its kind says so
    session.start_item(place)
    if not session.desk.attended:
        session.end_item(place, "skipped", _nobody())
        return True
    end = session.progress.at(place).first_ms + manual.within if manual.within is not None else None
    within = f" within {format_duration(manual.within)}" if manual.within is not None else ""
    needs = ", with evidence" if manual.evidence == "required" else ""
    answer = session.ask(session.question(place), f"  {manual.step}{within}{needs}", end)
    late = end is not None and session.journal.now_ms() > end
    outcome = {"done": "late" if late else "done", "fail": "failed"}.get(answer.word, "skipped")
    session.end_item(place, outcome, answer)
    return True


def _go_no_go(session: Session, place: Place, _again: bool) -> bool:  # noqa: FBT001 - one signature for all kinds
    session.start_item(place)
    attended = session.desk.attended
    answer = session.ask(session.question(place), "  go or no-go?") if attended else _nobody()
    word = answer.word if attended else "no-go"
    session.journal.write("decision", {"index": place[1], "decision": word, **answer.said()})
    session.end_item(place, word, answer)
    return word == "go"


def _experiment(session: Session, place: Place, again: bool) -> bool:  # noqa: FBT001 - one signature for all kinds
    if session.desk.attended and (again or place[0] == "agenda"):
        kind = "interrupted" if again else "experiment"
        answer = session.ask(session.question(place, kind), "  it was broken off" if again else "  ready?")
        if answer.word == "skip":
            session.start_item(place)
            session.end_item(place, "not-met" if place[0] == "prerequisites" else "skipped", answer)
            return place[0] == "agenda"
    session.start_item(place)
    try:
        outcome, why = _run_all(session, place)
    except KeyboardInterrupt:
        session.interrupt(place, "a signal")
        session.stop("a signal", how="signal")
    if place[0] == "prerequisites":
        met = outcome == Verdict.PASS.word
        session.end_item(place, INTERRUPTED if outcome == INTERRUPTED else "met" if met else "not-met", _why(why))
    else:
        session.end_item(place, outcome, _why(why))
    session.desk.say(f"  {title_of(session.file, place)}: {outcome}" + (f" ({why})" if why else ""))
    if outcome == INTERRUPTED:
        session.stop(why, how="signal")
    if outcome == Verdict.DIRTY.word:
        session.stop("a fault may still be on; gameday day resume undoes it first", how="dirty")
    if place[0] == "prerequisites" and outcome != Verdict.PASS.word:
        refuse(session, "prerequisite", f"{title_of(session.file, place)}: {outcome}")
        return False
    return True


def _why(why: str) -> Answer:
    return Answer(word="", by="", role="", text=why)


def _run_all(session: Session, place: Place) -> tuple[str, str]:
    """Carry out the experiment of an item, each combination of its matrix; return its outcome, and why it is no verdict."""
    blind = place[0] == "agenda" and session.file.agenda[place[1]].blind
    ids: list[str] = []
    seed = SystemRandom().randrange(_SEEDS)

    def builtins(_index: int) -> dict[str, str]:
        ids.append(new_run_id(_name(session, place, blind=blind), datetime.now(UTC)))
        return {"run.id": ids[-1], "run.seed": str(seed)}

    try:
        loaded = session.laboratory.load(place, builtins)
    except (ExperimentErrors, GamedayError) as error:
        session.desk.say(str(error))
        return "skipped", "its file is not valid any more"
    worst = Verdict.PASS
    for run_id, one in zip(ids, loaded, strict=True):
        try:
            judged = _run(session, place, one, run_id, seed)
        except GamedayError as error:
            return "skipped", str(error)
        worst = max(worst, judged.verdict)
        if worst is Verdict.DIRTY:
            break
        if judged.document["aborted_by"] in _STOPPED:
            return INTERRUPTED, session.hearing.stop_why or str(judged.document["aborted_by"])
        if session.hearing.stopped and run_id != ids[-1]:
            return INTERRUPTED, session.hearing.stop_why
    return worst.word, ""


def _name(session: Session, place: Place, *, blind: bool) -> Path:
    """Return what the run folder is named after: of a blind experiment nothing that tells it."""
    item: Any = session.file.agenda[place[1]] if place[0] == "agenda" else session.file.prerequisites[place[1]]
    return Path("experiment") if blind else Path(str(item.experiment))


def _run(session: Session, place: Place, loaded: Loaded, run_id: str, seed: int) -> Judged:
    name = f"runs/{run_id}"
    section, index = place
    session.journal.write("run-started", {"section": section, "index": index, "run": name})
    session.journal.sync()
    blind = section == "agenda" and session.file.agenda[index].blind
    with Pump(session.hearing, RunFolder(session.folder.runs / run_id), session.desk.interrupted) as pump:
        judged = session.laboratory.carry_out(loaded, run_id=run_id, seed=seed, blind=blind)
        session.worst = max(session.worst, judged.verdict)
    if pump.broken:
        raise GamedayError(f"the day's journal cannot be written: {pump.broken}")
    end_run(session, place, name, judged)
    return judged


def end_run(session: Session, place: Place, name: str, judged: Judged) -> None:
    """Write down what a run came to."""
    reasons: Iterable[Any] = judged.document["reasons"]
    data = {"section": place[0], "index": place[1], "run": name, "verdict": judged.verdict.word}
    head = str(judged.document.get("journal_head") or "")
    session.journal.write("run-ended", {**data, "reasons": [str(one) for one in reasons], "head": head})
