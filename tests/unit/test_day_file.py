"""The game-day file: read with every mistake at its place, written back, and known to the JSON Schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gameday.schema.day.file import DayFile
from gameday.schema.day.loader import is_day, load_day
from gameday.schema.errors import ExperimentErrors
from gameday.schema.jsonschema import json_schema
from gameday.schema.nodes import plain
from gameday.schema.yamlfile import parse

WHOLE = """\
version: 1
title: Payments brown-out
goal: |
  On-call notices within two minutes
  and follows the runbook.
environment: staging
roles: {owner: ana@example.com, coordinator: ben, responders: [eve, fay], observers: dee@example.com}
variables: {hook: {env: HOOK, secret: true}, delay: 400}
schedule:
  cron: "0 10 * * TUE"
  timezone: Europe/London
  window: {days: mon-thu, from: "09:30", to: "16:00"}
  blackout: [{from: 2026-12-15, to: 2027-01-05}]
  if_missed: run within 15m
  jitter: 30s
unattended: refuse
silence_alerts: [CheckoutBurnRate]
prerequisites:
  - {check: "Dashboards open: yes", by: coordinator}
  - {experiment: smoke.yaml}
agenda:
  - brief: What we expect.
  - experiment: slow.yaml
    blind: true
    variables: {delay: "${delay}", on: true}
  - manual: {step: Fail over, by: coordinator, evidence: required, within: 15m}
  - go_no_go: {by: owner}
  - debrief: What surprised us?
notify: [{slack: "${hook}", on: [start, end]}, {webhook: "https://hooks.example.com/x", secret: "${hook}"}, {email: a@example.com}]
"""
SMALL = "version: 1\ntitle: Small\nagenda:\n  - brief: Hello\n"


def write(folder: Path, text: str) -> Path:
    for name in ("smoke.yaml", "slow.yaml"):
        (folder / name).write_text("title: x\n")
    path = folder / "day.yaml"
    path.write_text(text)
    return path


def errors(folder: Path, text: str) -> list[str]:
    with pytest.raises(ExperimentErrors) as caught:
        load_day(write(folder, text), require_values=False)
    return [f"{one.line}:{one.column} {one.message}; {one.hint}" for one in caught.value.errors]


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    loaded = load_day(write(tmp_path, WHOLE), environ={"HOOK": "https://secret.example/"})
    day = loaded.day
    assert day.goal == "On-call notices within two minutes\nand follows the runbook."
    assert [item.kind for item in day.agenda] == ["brief", "experiment", "manual", "go_no_go", "debrief"]
    assert day.agenda[1].variables == {"delay": 400, "on": True}
    assert day.agenda[2].manual is not None
    assert day.agenda[2].manual.within == 900_000
    assert day.schedule is not None
    assert (day.schedule.if_missed, day.schedule.jitter, day.schedule.cron) == (900_000, 30_000, "0 10 * * TUE")
    assert day.notify[0].slack == "${hook}", "a secret stays a reference"
    assert loaded.secrets.mask("to https://secret.example/") != "to https://secret.example/"
    assert day.experiments == ("smoke.yaml", "slow.yaml")
    assert loaded.lines["agenda.1"] == 23


def test_what_is_written_back_is_read_as_the_same(tmp_path: Path) -> None:
    day = load_day(write(tmp_path, WHOLE), require_values=False).day
    assert DayFile.model_validate(day.to_json()) == day


def test_people_are_found_by_address_and_by_name(tmp_path: Path) -> None:
    people = load_day(write(tmp_path, WHOLE), require_values=False).day.people
    assert [people.role_of(who) for who in ("ana@example.com", "ANA", "ben", "fay", "dee", "nobody")] == [
        "owner",
        "owner",
        "coordinator",
        "responder",
        "observer",
        "",
    ]
    assert DayFile.model_validate({"version": 1, "title": "x", "agenda": [{"brief": "x"}]}).people.people("owner") == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("title: Small", "titel: Small"), "2:1 unknown key 'titel'; did you mean 'title'?"),
        (("  - brief: Hello\n", "  - {}\n"), "needs exactly one of brief, experiment, manual, go_no_go and debrief"),
        (("brief: Hello", "brief: Hello\n    debrief: Bye"), "needs exactly one of brief, experiment"),
        (("brief: Hello", "brief: Hello\n    blind: true"), "needs an experiment to be blind"),
        (("brief: Hello", "experiment: none.yaml"), "4:17 no such file"),
        (("brief: Hello", "experiment: https://x.example/a.yaml"), "must be a file beside this one"),
        (("brief: Hello", "manual: {step: Go, by: captain}"), "'by' must be owner or coordinator or reporter or responder"),
        (("brief: Hello", "manual: {step: Go, within: 0s}"), "must be longer than 0s"),
        (("brief: Hello", "manual: {step: Go, evidence: yes}"), "'evidence' must be required or optional"),
        (("agenda:\n  - brief: Hello\n", "agenda: []\n"), "'agenda' is empty"),
        (("agenda:", "roles: {owner: ana}\nagenda:\n  - go_no_go: {by: coordinator}"), "nobody is the coordinator of this day"),
        (("agenda:", "prerequisites: [{check: a, experiment: smoke.yaml}]\nagenda:"), "needs exactly one of check and experiment"),
        (("brief: Hello", "brief: ${nobody}"), "undefined variable 'nobody'"),
        (("agenda:", "schedule: {cron: 0 10 * *}\nagenda:"), "not a cron expression"),
        (("agenda:", "schedule: {cron: 60 10 * * *}\nagenda:"), "not a minute of cron: '60'"),
        (("agenda:", "schedule: {cron: 0 10 * * fri-mon}\nagenda:"), "weekday of cron runs backwards"),
        (("agenda:", "schedule: {cron: 0 1 * * *, timezone: Mars/Base}\nagenda:"), "no time zone is called 'Mars/Base'"),
        (("agenda:", "schedule: {cron: 0 1 * * *, blackout: [{from: 2026-01-02}]}\nagenda:"), "needs either file, or both"),
        (("agenda:", "schedule: {cron: 0 1 * * *, blackout: [{file: none.ics}]}\nagenda:"), "no such file"),
        (("agenda:", "schedule: {cron: 0 1 * * *, if_missed: later}\nagenda:"), "write skip, or run within 15m"),
        (("agenda:", "notify: [{slack: 'https://a.example', email: a@example.com}]\nagenda:"), "needs exactly one of slack"),
        (("agenda:", "notify: [{webhook: 'https://a.example', secret: hunter2}]\nagenda:"), "must be a secret variable"),
        (("agenda:", "notify: [{email: nobody}]\nagenda:"), "not an e-mail address"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_at_its_place(change: tuple[str, str], said: str, tmp_path: Path) -> None:
    assert any(said in error for error in errors(tmp_path, SMALL.replace(*change))), errors(
        tmp_path, SMALL.replace(*change)
    )


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    assert len(errors(tmp_path, "version: 2\nagenda:\n  - brief: 1\n  - manual: {}\nextra: 1\n")) == 5


def test_no_secret_is_handed_to_an_experiment(tmp_path: Path) -> None:
    text = SMALL + '  - experiment: slow.yaml\n    variables: {key: "${hook}"}\nvariables: {hook: {secret: true}}\n'
    assert "has a secret for variable 'key'" in errors(tmp_path, text)[0]


def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    assert "a game day is a mapping" in errors(tmp_path, "- a\n")[0]


@pytest.mark.parametrize(
    ("text", "day"),
    [(SMALL, True), ("agenda: [\n", True), ("version: 1\nfaults: []\n", False), ("- agenda\n", False)],
)
def test_a_game_day_is_known_by_its_agenda(text: str, day: bool) -> None:
    assert is_day(text.encode()) is day


def checked(raw: Any) -> list[str]:
    found: Any = Draft202012Validator(json_schema("day")).iter_errors(raw)  # pyright: ignore[reportUnknownMemberType]
    return [str(error.message) for error in found]


def test_the_json_schema_takes_what_is_valid_and_refuses_what_is_not() -> None:
    Draft202012Validator.check_schema(json_schema("day"))
    assert checked(plain(parse("day.yaml", WHOLE.encode()).root)) == []
    raw = plain(parse("day.yaml", SMALL.encode()).root)
    wrong: list[dict[str, Any]] = [
        {"titel": "x"},
        {"agenda": []},
        {"agenda": [{}]},
        {"agenda": [{"brief": "a", "debrief": "b"}]},
    ]
    for change in wrong:
        assert checked({**raw, **change})
