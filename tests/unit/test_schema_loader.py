"""A valid file becomes the experiment that it says; whatever else happens to a file, errors are located."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gameday.schema.errors import ExperimentErrors
from gameday.schema.experiment import Experiment
from gameday.schema.loader import Loaded, load_experiment
from gameday.schema.nodes import as_list, as_mapping, plain
from gameday.schema.yamlfile import parse
from tests.fakes.experiment_file import EXAMPLE, changed, fake_drivers, requests_of, write

TOKEN = {"API_TOKEN": "t"}


def load(folder: Path, text: str | bytes) -> Loaded:
    return load_experiment(write(folder, text), environ=TOKEN, drivers=fake_drivers)


def codes(folder: Path, text: str | bytes) -> list[str]:
    with pytest.raises(ExperimentErrors) as caught:
        load(folder, text)
    return [error.code for error in caught.value.errors]


def test_the_example_is_what_it_says(tmp_path: Path) -> None:
    loaded = load(tmp_path, EXAMPLE)
    experiment = loaded.experiment
    assert loaded.text == EXAMPLE.encode()
    assert experiment.profile.rate == 100.0
    assert experiment.profile.cap == 600
    assert experiment.fault_ms == 90_000
    assert experiment.latency_limits_us == (300_000, 1_000_000)
    assert [(f.name, f.do, f.at, f.length) for f in experiment.faults] == [
        ("payments-down", "proxy.down", 0, 60_000),
        ("one-killed", "process.kill", 70_000, 20_000),
    ]
    assert experiment.objectives["checkout-available"].endpoints == ("checkout",)
    assert requests_of(experiment)[1].json_ == {"sku": "A1", "note": None}
    assert dict(loaded.lines) == {
        "title": 2,
        "objectives.checkout-available": 30,
        "objectives.checkout-fast": 35,
        "faults.payments-down": 40,
        "faults.one-killed": 41,
    }
    assert loaded.warnings == ()


def test_an_experiment_survives_its_own_grammar(tmp_path: Path) -> None:
    experiment = load(tmp_path, EXAMPLE).experiment
    written = json.loads(json.dumps(experiment.to_json()))
    assert Experiment.model_validate(written) == experiment
    # What the run folder keeps is itself a file that can be loaded, once the secret is declared again.
    again = load(tmp_path, json.dumps({**written, "variables": {"api_token": {"env": "API_TOKEN", "secret": True}}}))
    assert again.experiment == experiment
    assert again.experiment.to_json() == written


def test_a_frozen_experiment_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(AttributeError, match="frozen"):
        setattr(load(tmp_path, EXAMPLE).experiment.load, "rate", 5.0)  # noqa: B010 - the type checkers refuse it, too


def test_an_error_in_one_section_hides_no_error_between_others(tmp_path: Path) -> None:
    text = changed(("title: Checkout survives a payments outage", "title:"), ("{proxy: payments}", "{proxy: paymnts}"))
    assert codes(tmp_path, text) == ["wrong-type", "unknown-proxy"]


def test_a_variable_that_is_wrong_is_said_once(tmp_path: Path) -> None:
    for change in (
        ("rate: 100/s", 'rate: "${rat}"'),
        ('target: "${base_url}"', 'target: "http://${base}/"'),
        ("{proxy: payments}", '{proxy: "${proxy}"}'),
        ("for: 60s", 'for: "${length}"'),
        ("endpoint: checkout", 'endpoint: "${name}"'),
    ):
        assert codes(tmp_path, changed(change)) == ["undefined-variable"], change


def test_what_sections_say_about_each_other_is_checked_after_variables_are_put_in(tmp_path: Path) -> None:
    names = ("variables:\n", "variables:\n  who: payments\n  what: checkout\n  other: frontend\n")
    use = (
        ("{process: payments}", '{process: "${who}"}'),
        ("name: checkout", 'name: "${what}"'),
        ("endpoint: checkout", 'endpoint: "${what}"'),
    )
    assert load(tmp_path, changed(names, *use)).experiment == load(tmp_path, EXAMPLE).experiment
    assert codes(tmp_path, changed(names, ("{process: payments}", '{process: "${other}"}'))) == ["unknown-process"]
    assert codes(tmp_path, changed(names, ("name: browse", 'name: "${what}"'))) == ["duplicate-name"]


def test_a_fault_may_be_written_with_its_name_inside(tmp_path: Path) -> None:
    text = changed(("- payments-down: {do: proxy.down", "- {name: payments-down, do: proxy.down"))
    assert load(tmp_path, text).experiment == load(tmp_path, EXAMPLE).experiment


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("- down", "wrong-type"),
        ("- {}", "wrong-type"),
        ("- down:", "wrong-type"),
        ("- down: [a]", "wrong-type"),
        ("- down: {name: up, do: proxy.down, with: {proxy: payments}, for: 1s}", "unknown-key"),
        ("- use: ./shared.yaml", "fragment"),
        ("- down: {do: proxy.down, with: {proxy: payments}, for: 60s, max_targets: 0}", "bad-value"),
        ("- down: {do: 5, for: 60s}", "wrong-type"),
        ("- down: {do: proxy.down, with: [payments], for: 60s}", "wrong-type"),
        ("- down: {do: proxy.down, for: 60s}", "missing-key"),
        ("- a/b: {do: proxy.down, with: {proxy: payments}, for: 60s}", "bad-value"),
        ("- down: {do: proxy.down, with: {proxy: payments}, for: 60s, observe: 5s}", "reversible"),
        ("- down: {do: proxy.down, with: {proxy: payments}, irreversible: allow, observe: 5s}", "reversible"),
        ("- down: {do: process.kill, with: {process: shop}, observe: 5s}", "reversible"),
        ("- down: {do: command, with: {run: [x]}, for: 5s}", "reversible"),
    ],
)
def test_wrong_faults(tmp_path: Path, fault: str, code: str) -> None:
    text = EXAMPLE[: EXAMPLE.index("  - payments-down")] + f"  {fault}\n"
    assert codes(tmp_path, text) == [code]


def test_whether_a_command_can_be_undone_depends_on_its_parameters(tmp_path: Path) -> None:
    for tail in ("{run: [x], undo: [y]}, for: 60s", "{run: [x]}, irreversible: allow, observe: 60s"):
        load(
            tmp_path,
            changed(("do: proxy.down, with: {proxy: payments}, at: 0s, for: 60s", f"do: command, with: {tail}")),
        )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("rate: 100/s", "rate: 100/s\n  users: 5"), "bad-value"),
        (("  rate: 100/s\n", "  rate: 100/s\n  arrivals: gaussian\n"), "bad-value"),
        (("expect: p95 < 300ms, during", "window: x, expect: p95 < 300ms, during"), "unsupported"),
        (("get: /products", "get: /products, post: /x"), "bad-value"),
        (("get: /products", "get: products"), "bad-value"),
        (("get: /products", 'get: "//example.com/x"'), "bad-value"),
        (("get: /products", 'get: "http://example.com:80/x"'), "host"),
        (("get: /products", 'get: "http://127.0.0.1.example.com/x"'), "host"),
        (("get: /products", 'get: "http://127.0.0.1:8080@example.com/x"'), "host"),
        (('default: "http://127.0.0.1:8080"', 'default: "http://[::1"'), "host"),
        (('target: "${base_url}"', 'target: "http://${api_token}/"'), "host"),
        (("X-Gameday-Run", '"X Gameday"'), "bad-value"),
        (('"${run.id}"', '"a\\r\\nHost: evil"'), "bad-value"),
        (("restart: always", 'env: {"A=B": x}'), "bad-value"),
        (("restart: always", "env: {A: 5}"), "wrong-type"),
        (("restart: always", 'cwd: "a\\0b"'), "bad-value"),
        (("timeout: 20s", "timeout: 0s"), "bad-value"),
        (('http: "http://127.0.0.1:8080/healthz"', 'log: "(["'), "bad-value"),
        (('http: "http://127.0.0.1:8080/healthz"', 'tcp: "localhost:99999"'), "bad-value"),
        (('upstream: "127.0.0.1:9002"', 'upstream: "127.0.0.1:9102"'), "same-port"),
        (("endpoint: checkout", "endpoint: []"), "bad-value"),
        (("endpoint: checkout", "endpoint: [checkout, nothing]"), "unknown-endpoint"),
        (("expect: errors < 0.5%", "expect: |\n      errors < 0.5%\n      p95 < 1s"), "different-metric"),
        (("expect: errors < 0.5%", "expect: availability > 99.5%"), "different-metric"),
        (("abort:\n", "abort:\n  - 5\n"), "bad-value"),
        (
            (
                "hypothesis: With payments down, checkout queues the payment and answers within a second.",
                "hypothesis: 5",
            ),
            "wrong-type",
        ),
    ],
)
def test_wrong_sections(tmp_path: Path, change: tuple[str, str], code: str) -> None:
    assert codes(tmp_path, changed(change)) == [code]


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]", "5", "- a\n- b\n", "null"])
def test_what_is_no_experiment(tmp_path: Path, text: str) -> None:
    assert set(codes(tmp_path, text)) <= {"missing-key", "wrong-type"}


def test_hosts_that_are_allowed(tmp_path: Path) -> None:
    allow = ("rate: 100/s", 'rate: 100/s\n  allow_hosts: ["*.Example.com", 127.0.0.1]')
    load(tmp_path, changed(allow, ("get: /products", 'get: "https://SHOP.example.com/products"')))
    assert codes(tmp_path, changed(allow, ("get: /products", 'get: "https://example.com/products"'))) == ["host"]


def test_without_drivers_the_times_of_a_fault_are_still_checked(tmp_path: Path) -> None:
    for old, new in ((", at: 0s, for: 60s", ""), ("irreversible: allow, observe: 20s", "irreversible: allow")):
        with pytest.raises(ExperimentErrors, match=r"a reversible fault needs|an irreversible fault needs"):
            load_experiment(write(tmp_path, changed((old, new))), environ=TOKEN)


def test_what_strict_asks_for(tmp_path: Path) -> None:
    assert load(tmp_path, EXAMPLE).strict_errors() == ()
    errors = load(tmp_path, changed(("owner: team-checkout\n", ""))).strict_errors()
    assert [(error.line, error.message) for error in errors] == [
        (2, "missing key 'owner': who is told what was found?")
    ]


EXAMPLE_DATA = plain(parse("f", EXAMPLE.encode()).root)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(
        [
            "5s",
            "100/s",
            "5%",
            "errors < 5%",
            "${base_url}",
            "${api_token}",
            "${x}",
            "payments",
            "proxy.down",
            "http://[",
            "allow",
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "do", "with", "for", "get", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def spots(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (*as_mapping(node).items(), *enumerate(as_list(node)))
    return [path, *(spot for key, value in inner for spot in spots(value, (*path, key)))]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(spot=st.sampled_from(spots(EXAMPLE_DATA)[1:]), value=ANYTHING)
def test_whatever_one_value_becomes_the_file_is_valid_or_its_errors_are_located(
    tmp_path: Path, spot: tuple[Any, ...], value: Any
) -> None:
    data = copy.deepcopy(EXAMPLE_DATA)
    around = data
    for part in spot[:-1]:
        around = around[part]
    around[spot[-1]] = value
    text = json.dumps(data, indent=1)
    try:
        loaded = load(tmp_path, text)
    except ExperimentErrors as errors:
        lines = text.splitlines()
        found = [error for error in errors.errors if not 1 <= error.line <= len(lines)]
        rendered = str(errors)
    else:
        found, rendered = [], ""
        assert Experiment.model_validate(loaded.experiment.to_json()) == loaded.experiment
    assert not found
    assert "pydantic" not in rendered
    assert "Input should" not in rendered
