"""What each rule of a policy refuses and what it lets through, as a table; and that nothing is allowed by having been forgotten."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.policy.recognised import environments
from gameday.policy.rules import abort_rules, refusals, target_refusals, under
from gameday.policy.touched import touched_hosts
from gameday.schema.experiment import Experiment
from tests.fakes.policies import MINUTE, TUESDAY, fault, policy, run_at
from tests.fakes.stories import experiment

LONDON = ZoneInfo("Europe/London")
BASE = """
[environments.staging]
hosts = ["*.staging.example.com", "127.0.0.1"]
[environments.production]
hosts = ["*.example.com"]
"""


def sli(**probe: Any) -> dict[str, Any]:
    return {"slis": {"queue": {**probe, "every": "1s"}}}


def loads(*hosts: str) -> dict[str, Any]:
    load = {**experiment()["load"], "target": "http://127.0.0.1:8080", "allow_hosts": ["127.0.0.1", *hosts]}
    return {"load": load}


def staging(*lines: str) -> str:
    return '[environments.staging]\nhosts = ["127.0.0.1"]\n' + "\n".join(lines)


def window(days: str, begin: str, end: str, zone: str = "Europe/London") -> str:
    return staging(f'windows = [{{days = "{days}", from = "{begin}", to = "{end}", timezone = "{zone}"}}]')


def blackout(begin: str, end: str, zone: str = "UTC") -> str:
    return staging(f'blackout = [{{from = "{begin}", to = "{end}", timezone = "{zone}"}}]')


def london(hour: int, minute: int = 0, day: int = 24) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=LONDON)


STAGING, PRODUCTION = "https://shop.staging.example.com", "https://shop.example.com"
NOBODY = "https://shop.elsewhere.test"
PROXY: dict[str, Any] = {"proxies": {"payments": {"control": "http://toxi.example.com:8474", "name": "payments"}}}
OWN: dict[str, Any] = {"proxies": {"payments": {"listen": "127.0.0.1:9102", "upstream": "db.elsewhere.test:5432"}}}
ALERTS = staging('abort = ["max(queue) < 5 for 3s"]')
TIMED: dict[str, tuple[str, datetime, int, str]] = {
    # name: (policy, begins, minutes, which rule refuses; empty: none)
    "inside a window": (window("mon-thu", "10:00", "15:00"), london(10), 10, ""),
    "at the very beginning": (window("tue", "10:30", "15:00"), london(10, 30), 10, ""),
    "before a window": (window("mon-thu", "10:00", "15:00"), london(9, 59), 10, "windows"),
    "ends as the window does": (window("mon-thu", "10:00", "15:00"), london(14, 50), 10, ""),
    "would not end in the window": (window("mon-thu", "10:00", "15:00"), london(14, 51), 10, "windows"),
    "after a window": (window("mon-thu", "10:00", "15:00"), london(15), 10, "windows"),
    "another day": (window("mon-thu", "10:00", "15:00"), london(11, day=27), 10, "windows"),
    "days that go round": (window("fri-mon", "10:00", "15:00"), london(11, day=29), 10, ""),
    "listed days": (window("mon,wed", "10:00", "15:00"), london(11), 10, "windows"),
    "the zone of the window counts": (window("tue", "10:00", "11:00", "Asia/Tokyo"), london(1, 30), 10, ""),
    "a day later over there": (window("wed", "01:00", "02:00", "Asia/Tokyo"), london(16, 10), 10, ""),
    "summer time": (
        window("mon-sun", "10:00", "11:00"),
        datetime(2026, 7, 1, 9, 30, tzinfo=UTC),
        10,
        "",
    ),
    "winter time": (
        window("mon-sun", "10:00", "11:00"),
        datetime(2026, 12, 1, 9, 30, tzinfo=UTC),
        10,
        "windows",
    ),
    "an hour that does not happen": (
        window("sun", "01:00", "02:00"),
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
        10,
        "windows",
    ),
    "an hour that happens twice, first": (
        window("sun", "01:00", "02:00"),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        10,
        "",
    ),
    "to midnight": (window("mon-sun", "22:00", "24:00"), london(23, 45), 15, ""),
    "beyond midnight": (window("mon-sun", "22:00", "24:00"), london(23, 46), 15, "windows"),
    "before a blackout": (blackout("2026-12-15", "2027-01-05"), london(10), 10, ""),
    "in a blackout": (blackout("2026-11-24", "2026-11-25"), london(10), 10, "blackout"),
    "into a blackout": (blackout("2026-11-24T10:05", "2026-11-25"), london(10), 10, "blackout"),
    "until a blackout": (blackout("2026-11-24T10:10", "2026-11-25"), london(10), 10, ""),
    "after a blackout": (blackout("2026-11-20", "2026-11-24T10:00"), london(10), 10, ""),
    "a blackout elsewhere": (
        blackout("2026-11-24T19:00", "2026-11-24T20:00", "Asia/Tokyo"),
        london(10),
        10,
        "blackout",
    ),
    "a blackout wins over a window": (
        window("tue", "10:00", "15:00") + '\nblackout = [{from = "2026-11-24", to = "2026-11-25"}]',
        london(11),
        10,
        "blackout",
    ),
}


@pytest.mark.parametrize("name", TIMED)
def test_when_a_run_may_be(name: str) -> None:
    text, now, minutes, rule = TIMED[name]
    found = refusals([policy(text)], run_at(), now, minutes * MINUTE)
    assert [one.rule.rpartition(".")[2] for one in found] == ([rule] if rule else [])


WHAT: dict[str, tuple[str, dict[str, Any], str]] = {
    # name: (policy, changes of the experiment, which rule refuses; empty: none)
    "everything is allowed by default": (staging(), {}, ""),
    "an allowed driver": (staging('allow = ["proxy.*"]'), fault("proxy.latency"), ""),
    "a driver that is not allowed": (staging('allow = ["proxy.*"]'), fault("http"), "allow"),
    "a silence that is not allowed": (staging('allow = ["proxy.*"]'), {"silence_alerts": ["Burn"]}, "allow"),
    "a silence that is allowed": (
        staging('allow = ["proxy.*", "alertmanager.silence"]'),
        {"silence_alerts": ["Burn"]},
        "",
    ),
    "nothing is allowed": (staging("allow = []"), {}, "allow"),
    "a denied driver": (staging('deny = ["proxy.down"]'), {}, "deny"),
    "deny wins": (staging('allow = ["proxy.*"]', 'deny = ["proxy.down"]'), {}, "deny"),
    "another one is denied": (staging('deny = ["process.*"]'), {}, ""),
    "all is not command": (staging(), fault("command", run=["rm"]), "allow"),
    "nor with question marks": (staging('allow = ["?*", "[a-z]*"]'), fault("command", run=["rm"]), "allow"),
    "command by its name": (staging('allow = ["*", "command"]'), fault("command", run=["rm"]), ""),
    "command by a pattern": (staging('allow = ["comm*"]'), fault("command", run=["rm"]), ""),
    "command, named and denied": (staging('allow = ["command"]', 'deny = ["*"]'), fault("command", run=["rm"]), "deny"),
    "all is not chaostoolkit": (staging(), fault("chaostoolkit", func="x"), "allow"),
    "nor whole experiments": (staging(), fault("chaostoolkit.experiment", file="x"), "allow"),
    "chaostoolkit is not its experiments": (
        staging('allow = ["chaostoolkit"]'),
        fault("chaostoolkit.experiment", file="x"),
        "allow",
    ),
    "both by a pattern": (staging('allow = ["chaostoolkit*"]'), fault("chaostoolkit.experiment", file="x"), ""),
    "a stranger's driver can reach anything": (staging(), fault("acme.break", what="x"), "allow"),
    "a stranger's driver by its name": (staging('allow = ["acme.*"]'), fault("acme.break", what="x"), ""),
    "a command probe": (staging(), sli(command=["depth"]), "allow"),
    "a command fault is no command probe": (staging('allow = ["*", "command"]'), sli(command=["depth"]), "allow"),
    "a command probe by its name": (staging('allow = ["*", "probe:command"]'), sli(command=["depth"]), ""),
    "a chaostoolkit probe": (staging(), sli(chaostoolkit={"func": "x"}), "allow"),
    "an http probe here": (staging(), sli(http="http://localhost/queue"), ""),
    "an http probe, denied": (staging('deny = ["probe:http"]'), sli(http="http://localhost/queue"), "deny"),
    "a probe that only reads": (staging(), sli(prometheus="up"), ""),
    "load on a denied host": (staging('deny_hosts = ["*.example.com"]'), loads("x.example.com"), "deny_hosts"),
    "load on hosts with a denied one": (
        staging('deny_hosts = ["a.example.com"]'),
        loads("*.example.com"),
        "deny_hosts",
    ),
    "no longer than allowed": (staging('max_duration = "40s"'), {}, ""),
    "too long": (staging('max_duration = "39s"'), {}, "max_duration"),
    "a denied host": (staging('deny_hosts = ["127.*"]'), {}, "deny_hosts"),
    "an abort rule that can be kept": (staging('abort = ["errors lose 3s of traffic beyond 50%"]'), {}, ""),
    "an abort rule on what is not measured": (ALERTS, {}, "abort"),
    "an abort rule on what is measured": (ALERTS, sli(prometheus="queue"), ""),
}


@pytest.mark.parametrize("name", WHAT)
def test_what_a_run_may_do(name: str) -> None:
    text, changes, rule = WHAT[name]
    if "load" in changes:
        text = text.replace('["127.0.0.1"]', '["127.0.0.1", "*.example.com"]')
    run = Experiment.model_validate({**experiment(), **changes})
    found = refusals([policy(text)], run, TUESDAY, MINUTE)
    assert [one.rule.partition("staging.")[2] or one.rule for one in found] == ([rule] if rule else [])
    assert all(str(one).startswith(one.says) and "gameday.toml" in str(one) for one in found)


WHERE: dict[str, tuple[Experiment, list[str], str]] = {
    # name: (experiment, its environments, a host that is in none)
    "this machine": (run_at(), ["staging"], ""),
    "this machine by name": (run_at("http://localhost:8080"), ["staging"], ""),
    "this machine in IPv6": (run_at("http://[::1]:8080"), ["staging"], ""),
    "the closest pattern": (run_at(STAGING), ["staging"], ""),
    "the wider one": (run_at(PRODUCTION), ["production"], ""),
    "in capitals": (run_at("https://SHOP.Example.COM"), ["production"], ""),
    "with a final dot": (run_at("https://shop.example.com./"), ["production"], ""),
    "nowhere": (run_at(NOBODY), [], "shop.elsewhere.test"),
    "a look-alike": (run_at("https://shop.example.com.elsewhere.test"), [], "shop.example.com.elsewhere.test"),
    "a user that looks like a host": (run_at("https://shop.example.com@elsewhere.test/"), [], "elsewhere.test"),
    "a proxy in production": (run_at(**PROXY), ["staging", "production"], ""),
    "a dependency nowhere": (run_at(**OWN), ["staging"], "db.elsewhere.test"),
    "a fault that calls production": (
        run_at(**fault("http", inject={"post": PRODUCTION + "/break"}, undo={"post": PRODUCTION})),
        ["staging", "production"],
        "",
    ),
    "a fault whose host is a secret": (
        run_at(**fault("http", inject={"post": "${admin}/break"}, undo={"post": PRODUCTION})),
        ["staging", "production"],
        "${admin}/break",
    ),
    "a fault that calls in capitals": (
        run_at(**fault("http", inject={"post": "HTTPS://SHOP.EXAMPLE.COM/x"}, undo={"post": PRODUCTION})),
        ["staging", "production"],
        "",
    ),
    "a probe that asks production": (run_at(**sli(http=PRODUCTION)), ["staging", "production"], ""),
    "a probe that asks a stranger": (run_at(**sli(http=NOBODY)), ["staging"], "shop.elsewhere.test"),
    "a probe whose host is a secret": (run_at(**sli(http="${admin}/depth")), ["staging"], "${admin}/depth"),
    "a probe on this machine": (run_at(PRODUCTION, slis={}), ["production"], ""),
    "a process that is started here": (
        run_at(PRODUCTION, system={"shop": {"run": ["shop"], "ready": {"http": NOBODY}}}),
        ["production", "staging"],
        "shop.elsewhere.test",
    ),
    "load that could leave for production": (
        run_at(**loads("*.example.com")),
        ["staging", "production"],
        "",
    ),
    "load that could leave for anywhere": (run_at(**loads("*")), ["staging", "production"], ""),
    "a fault on this machine": (
        run_at(PRODUCTION, **fault("process.pause", process="x")),
        ["production", "staging"],
        "",
    ),
}


@pytest.mark.parametrize("name", WHERE)
def test_an_environment_is_recognised_by_what_is_touched(name: str) -> None:
    run, expected, stranger = WHERE[name]
    found = policy(BASE)
    assert list(environments(found, run)) == expected
    said = [one.says for one in refusals([found], run, TUESDAY, MINUTE)]
    assert len(said) == (1 if stranger else 0)
    assert all(stranger in one for one in said)


def test_a_run_in_two_environments_keeps_the_rules_of_both() -> None:
    text = BASE.replace('["*.example.com"]', '["*.example.com"]\ndeny = ["proxy.*"]')
    assert [one.rule for one in refusals([policy(text)], run_at(**PROXY), TUESDAY, MINUTE)] == [
        "gameday.toml: environments.production.deny"
    ]


def test_what_one_policy_allows_another_may_refuse() -> None:
    near, far = policy(staging('allow = ["*"]')), policy(staging('deny = ["proxy.*"]'))
    assert len(refusals([near, far], run_at(), TUESDAY, MINUTE)) == 1


@pytest.mark.parametrize(
    ("text", "found", "rule"),
    [
        (staging("max_targets = 2"), ("a", "b"), ""),
        (staging("max_targets = 1"), ("a", "b"), "max_targets"),
        (staging('deny_targets = ["pod payments/*"]'), ("pod shop/a",), ""),
        (staging('deny_targets = ["pod payments/*"]'), ("pod shop/a", "pod payments/b"), "deny_targets"),
    ],
)
def test_targets_that_were_found(text: str, found: tuple[str, ...], rule: str) -> None:
    refused = target_refusals([policy(text)], run_at(), {"one": found})
    assert [one.rule.rpartition(".")[2] for one in refused] == ([rule] if rule else [])


def test_abort_rules_are_added_once() -> None:
    rule = "errors lose 3s of traffic beyond 50%"
    both = [policy(staging(f'abort = ["{rule}"]'))] * 2
    assert [one.text for one in abort_rules(both, run_at())] == [rule]
    assert [one.text for one in under(both, run_at()).abort] == [rule]
    assert abort_rules(both, run_at(abort=[rule])) == ()


@given(st.from_regex(r"[a-z0-9-]{1,12}(\.[a-z0-9-]{1,8}){0,3}", fullmatch=True))
def test_a_host_is_in_an_environment_or_refused(host: str) -> None:
    run = run_at(f"http://{host}/")
    found = policy(BASE)
    assert bool(environments(found, run)) != bool(refusals([found], run, TUESDAY, MINUTE))
    assert len(touched_hosts(run)) == 1
