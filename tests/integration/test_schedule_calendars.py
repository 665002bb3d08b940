"""Blackouts from iCalendar files, read by the real child: what they mean, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gameday.gamedays.schedule import calendars
from gameday.gamedays.schedule.calendars import read_calendar
from gameday.gamedays.schedule.gate import open_gate
from gameday.gamedays.schedule.spans import CalendarError
from gameday.schema.day.schedule import Schedule

BEGIN, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 12, 1, tzinfo=UTC)


def calendar(*events: str, before: str = "") -> str:
    inner = "".join(
        f"BEGIN:VEVENT\nUID:{number}\nSUMMARY:event {number}\n{event}\nEND:VEVENT\n"
        for number, event in enumerate(events)
    )
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n{before}{inner}END:VCALENDAR\n".replace("\n", "\r\n")


def read(folder: Path, text: str | bytes, zone: str = "Europe/London") -> list[tuple[str, str, str]]:
    path = folder / "holidays.ics"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = read_calendar(path, zone, BEGIN, END)
    return [(f"{one.begin:%m-%d %H:%M}", f"{one.end:%m-%d %H:%M}", one.says) for one in found]


VTIMEZONE = """BEGIN:VTIMEZONE
TZID:Office
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0300
TZOFFSETTO:+0300
END:STANDARD
END:VTIMEZONE
"""
CANCELLED = "UID:0\nSUMMARY:event 0\nRECURRENCE-ID:20261202T100000Z\nDTSTART:20261202T100000Z\nDTEND:20261202T110000Z\nSTATUS:CANCELLED"


def test_every_kind_of_event_in_one_calendar(tmp_path: Path) -> None:
    text = calendar(
        "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227\nTRANSP:TRANSPARENT",
        "DTSTART;VALUE=DATE:20270101\nRRULE:FREQ=YEARLY",
        "DTSTART;TZID=America/New_York:20270308T090000\nDTEND;TZID=America/New_York:20270308T100000\nRRULE:FREQ=WEEKLY;COUNT=2",
        "DTSTART;TZID=GMT Standard Time:20270601T090000\nDTEND;TZID=GMT Standard Time:20270601T100000",
        "DTSTART:20270602T090000\nDURATION:PT90M",
        "DTSTART;TZID=Office:20270603T090000\nDURATION:PT1H",
        "DTSTART:20270604T230000Z\nDTEND:20270605T010000Z",
        "DTSTART:20270701T100000Z\nDURATION:PT1H\nSTATUS:CANCELLED",
        before=VTIMEZONE,
    )
    assert read(tmp_path, text) == [
        ("12-24 00:00", "12-27 00:00", "holidays.ics: event 0"),
        ("01-01 00:00", "01-02 00:00", "holidays.ics: event 1"),
        ("03-08 14:00", "03-08 15:00", "holidays.ics: event 2"),
        ("03-15 13:00", "03-15 14:00", "holidays.ics: event 2"),
        ("06-01 08:00", "06-01 09:00", "holidays.ics: event 3"),
        ("06-02 08:00", "06-02 09:30", "holidays.ics: event 4"),
        ("06-03 06:00", "06-03 07:00", "holidays.ics: event 5"),
        ("06-04 23:00", "06-05 01:00", "holidays.ics: event 6"),
    ]


def test_exceptions_of_a_rule(tmp_path: Path) -> None:
    rule = "DTSTART:20261130T100000Z\nDTEND:20261130T110000Z\nRRULE:FREQ=DAILY;COUNT=4\nEXDATE:20261201T100000Z"
    text = calendar(rule).replace(
        "END:VCALENDAR", f"BEGIN:VEVENT\n{CANCELLED}\nEND:VEVENT\nEND:VCALENDAR".replace("\n", "\r\n")
    )
    assert [begin for begin, _, _ in read(tmp_path, text)] == ["11-30 10:00", "12-03 10:00"]


def test_a_day_of_a_zone_far_away_and_an_event_that_began_long_before(tmp_path: Path) -> None:
    text = calendar("DTSTART;VALUE=DATE:20261224", "DTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:20261102")
    assert read(tmp_path, text, "Australia/Lord_Howe") == [
        ("12-31 13:00", "11-01 13:00", "holidays.ics: event 1"),
        ("12-23 13:00", "12-24 13:00", "holidays.ics: event 0"),
    ]


REFUSED: dict[str, tuple[str | bytes, str]] = {
    "a page that asks to log in": ("<html><body>Log in</body></html>", "no calendar"),
    "nothing": ("", "no calendar"),
    "cut off": (calendar("DTSTART:20261224T100000Z\nDURATION:PT1H")[:-30], "no calendar"),
    "no text": (b"\xff\xfe\x00BEGIN", "no calendar"),
    "an event on its own": ("BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261224T100000Z\r\nDURATION:PT1H\r\nEND:VEVENT\r\n", "no calendar"),
    "no start": (calendar("DURATION:PT1H"), "no DTSTART"),
    "no end": (calendar("DTSTART:20261224T100000Z"), "neither DTEND nor DURATION"),
    "a start that is no date": (calendar("DTSTART:2026122T100000\nDURATION:PT1H"), "DTSTART cannot be read"),
    "an exception that is no date": (calendar("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=DAILY\nEXDATE:soon"), "EXDATE cannot be read"),
    "a rule of no kind": (calendar("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=SOMETIMES"), "RRULE cannot be read"),
    "a rule with a key of no kind": (calendar("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=DAILY;BYMOON=1"), "no calendar"),
    "a zone that nobody knows": (calendar("DTSTART;TZID=Mars/Olympus:20261224T100000\nDURATION:PT1H"), "no known time zone"),
    "every second for ever": (calendar("DTSTART:20261101T000000Z\nDURATION:PT1S\nRRULE:FREQ=SECONDLY"), "repeats SECONDLY"),
    "too many events": (calendar(*["DTSTART;VALUE=DATE:20261224"] * 2_001), "more than 2,000 events"),
    "too many occurrences": (calendar(*["DTSTART:20261101T000000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY"] * 2), "more than 10,000 occurrences"),
    "nested without end": ("BEGIN:VCALENDAR\r\n" + "BEGIN:VEVENT\r\n" * 20_000, "no calendar"),
    "larger than a mebibyte": (calendar() + "X" * (1 << 20), "larger than 1 MiB"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_in_doubt_is_refused(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(CalendarError, match=said) as refused:
        read(tmp_path, text)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500
    assert refused.value.hint


def test_a_rule_that_never_matches_ends_at_the_limit_of_processor_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = "DTSTART;VALUE=DATE:20261101\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"
    monkeypatch.setattr(calendars, "CPU_S", 1)
    with pytest.raises(CalendarError, match="takes too long"):
        read(tmp_path, calendar(*[rule] * 99))


def test_a_file_that_is_not_there_closes_the_gate(tmp_path: Path) -> None:
    plan = Schedule.model_validate({"cron": "0 10 * * *", "blackout": [{"file": "gone.ics"}]})
    with pytest.raises(CalendarError, match=r"gone\.ics cannot be read: No such file"):
        open_gate(plan, tmp_path, BEGIN)


def test_without_the_library_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_there(_name: str) -> None:
        return None

    monkeypatch.setattr(calendars, "find_spec", not_there)
    with pytest.raises(CalendarError) as refused:
        read(tmp_path, calendar())
    assert "gameday-runner[calendar]" in str(refused.value)


def test_what_calendars_are_not_read_for_is_closed(tmp_path: Path) -> None:
    (tmp_path / "holidays.ics").write_text(calendar("DTSTART;VALUE=DATE:20261224"), newline="")
    plan = Schedule.model_validate({"cron": "0 10 * * *", "blackout": [{"file": "holidays.ics"}]})
    gate = open_gate(plan, tmp_path, datetime(2026, 11, 24, tzinfo=UTC))
    assert (
        gate.closed(datetime(2026, 12, 24, 12, tzinfo=UTC)) == "blackout until 2026-12-25 00:00 (holidays.ics: event 0)"
    )
    assert gate.closed(datetime(2026, 12, 25, tzinfo=UTC)) == ""
    assert (
        gate.closed(datetime(2028, 12, 25, tzinfo=UTC)) == "too far ahead: holidays.ics was read for the next 400 days"
    )


def test_the_child_says_nothing_but_its_answer() -> None:
    child = subprocess.run(
        [
            sys.executable,
            "-P",
            "-m",
            "gameday.gamedays.schedule.calendarchild",
            "UTC",
            BEGIN.isoformat(),
            END.isoformat(),
            "10",
        ],
        input=calendar("DTSTART;VALUE=DATE:20261224").encode(),
        capture_output=True,
        check=True,
    )
    assert child.stdout.startswith(b'{"events": [["2026-12-24T00:00:00+00:00"')
    assert child.stderr == b""
