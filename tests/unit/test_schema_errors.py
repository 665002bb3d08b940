"""Every mistake a person is likely to make, in each section of the file, with the exact text that they are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from gameday.schema.document import MAX_ERRORS
from gameday.schema.errors import ExperimentErrors, Located, render
from gameday.schema.loader import load_experiment
from tests.fakes.experiment_file import EXAMPLE, changed, fake_drivers, fake_probes, write

Changes = list[tuple[str, str]]
GOLDEN = Path(__file__).with_suffix(".golden.txt").read_text(encoding="utf-8")
EXPECTED = {
    name: text.rstrip("\n") for name, _, text in (part.partition("\n") for part in GOLDEN.split("===== ") if part)
}
REQUESTS = EXAMPLE[EXAMPLE.index("  requests:\n") : EXAMPLE.index("\nobjectives:")]
DATA = ("load:", "data: {skus: [A1, B2]}\nload:")
QUEUE = (
    "objectives:\n",
    'slis: {queue: {http: "http://127.0.0.1:8080/queue", every: 5s}}\nobjectives:\n  backlog: {expect: max(queue) < 1000}\n',
)
PROMETHEUS = 'url: "http://127.0.0.1:9090"'
MISTAKES: dict[str, Changes] = {
    "misspelt section": [("abort:", "abrot:")],
    "no version": [("version: 1\n", "")],
    "another version": [("version: 1", "version: 2")],
    "no title": [("title: Checkout survives a payments outage\n", "")],
    "title of two lines": [("title: Checkout survives a payments outage", "title: |\n  one\n  two")],
    "tags that are no list": [("tags: [dependency-outage]", "tags: dependency-outage")],
    "misspelt key of a variable": [("{env: BASE_URL, default:", "{enV: BASE_URL, default:")],
    "secret with a default": [("secret: true", "secret: true, default: hunter2")],
    "undefined variable": [('target: "${base_url}"', 'target: "${base_ur}"')],
    "variable that is never closed": [('target: "${base_url}"', 'target: "${base_url"')],
    "unquoted variable in a flow mapping": [('Authorization: "Bearer ${api_token}"', "Authorization: ${api_token}")],
    "secret in an argv": [('--port, "9002"', '--port, "${api_token}"')],
    "number in an argv": [('--port, "9002"', "--port, 9002")],
    "wrong choice": [("restart: always", "restart: alwys")],
    "ready in two ways": [("20s}", "20s, log: up}")],
    "name that is none": [("  shop:\n", "  ../shop:\n")],
    "proxy without upstream": [(', upstream: "127.0.0.1:9002"', "")],
    "address without a port": [('"127.0.0.1:9102"', '"127.0.0.1"')],
    "two proxies on one port": [
        ("proxies:\n", 'proxies:\n  cards: {listen: "127.0.0.1:9102", upstream: "127.0.0.1:9003"}\n')
    ],
    "rate without a unit": [("rate: 100/s", "rate: 100")],
    "no rate": [("  rate: 100/s\n", "")],
    "target that is no URL": [('default: "http://127.0.0.1:8080"', 'default: "127.0.0.1:8080"')],
    "host that may not be loaded": [("rate: 100/s", 'rate: 100/s\n  allow_hosts: ["*.example.com"]')],
    "request to another host": [("get: /products", 'get: "http://example.com/products"')],
    "misspelt method": [("post: /checkout", "pots: /checkout")],
    "two requests of one name": [("name: browse", "name: checkout")],
    "check that is none": [("status == 200", "status = 200")],
    "unknown endpoint": [("endpoint: checkout", "endpoint: chekout")],
    "unknown metric": [("expect: errors < 0.5%", "expect: error < 0.5%")],
    "share without a sign": [("during: errors < 5%", "during: errors < 5")],
    "another metric during": [("during: errors < 5%", "during: p95 < 5s")],
    "within that does not fit": [("within: 20s", "within: 55s")],
    "hold that is too short": [("within: 20s", "within: 20s, hold: 1s")],
    "recovery that is too short": [("recovery: 60s", "recovery: 5s"), ("    recover: {within: 20s}\n", "")],
    "phase of no length": [("baseline: 60s", "baseline: 0s")],
    "duration without a unit": [("warmup: 10s", "warmup: 10")],
    "unknown driver": [("proxy.down", "proxy.donw")],
    "unknown parameter": [("with: {proxy: payments}", "with: {proxy: payments, toxicity: 1}")],
    "missing parameter": [("do: proxy.down, with: {proxy: payments}", "do: proxy.latency, with: {proxy: payments}")],
    "wrong parameter": [
        ("do: proxy.down, with: {proxy: payments}", "do: proxy.latency, with: {proxy: payments, latency: 250}")
    ],
    "parameter beyond its limit": [
        ("do: proxy.down, with: {proxy: payments}", "do: proxy.latency, with: {proxy: payments, latency: 2m}")
    ],
    "unknown proxy": [("{proxy: payments}", "{proxy: paymnts}")],
    "unknown process": [("{process: payments}", "{process: frontend}")],
    "reversible fault without for": [(", at: 0s, for: 60s", "")],
    "irreversible fault with for": [("irreversible: allow, observe: 20s", "for: 20s")],
    "two faults of one name": [("one-killed", "payments-down")],
    "fault beside its name": [
        (
            "  - payments-down: {do: proxy.down, with: {proxy: payments}, at: 0s, for: 60s}",
            "  - payments-down:\n    do: proxy.down",
        )
    ],
    "no objective": [(EXAMPLE[EXAMPLE.index("objectives:") : EXAMPLE.index("\nphases:")], "objectives: {}\n")],
    "no fault": [("faults:\n", "faults: []\nfault:\n")],
    "abort rule that is none": [("errors lose 1.5s of traffic", "errors loose 1.5s of traffic")],
    "section that comes later": [("abort:", "policy: strict.yaml\nabort:")],
    "source of an unknown kind": [("abort:", 'sources: {promtheus: {url: "http://127.0.0.1:9090"}}\nabort:')],
    "source whose URL is none": [("abort:", "sources: {prometheus: {url: x}}\nabort:")],
    "source without a URL": [("abort:", "sources: {loki: {user: me}}\nabort:")],
    "source with a token and a password": [
        (
            "abort:",
            f'sources: {{p: {{kind: loki, {PROMETHEUS}, token: "${{api_token}}", user: a, password: b}}}}\nabort:',
        )
    ],
    "source with half a login": [("abort:", f"sources: {{p: {{kind: loki, {PROMETHEUS}, user: a}}}}\nabort:")],
    "source with a user in its URL": [("abort:", 'sources: {loki: {url: "http://a:b@127.0.0.1:9090"}}\nabort:')],
    "source with a CA and no TLS": [("abort:", f"sources: {{loki: {{{PROMETHEUS}, ca: ca.pem}}}}\nabort:")],
    "source whose CA is not there": [
        ("abort:", 'sources: {loki: {url: "https://127.0.0.1:9090", ca: ca.pem}}\nabort:')
    ],
    "rate and users": [("rate: 100/s", "rate: 100/s\n  users: 5")],
    "requests and a locustfile": [("rate: 100/s", "rate: 100/s\n  locustfile: shop.py")],
    "locustfile that is not there": [(REQUESTS, "  locustfile: load/shop.py\n")],
    "key of a locustfile": [("rate: 100/s", "rate: 100/s\n  tags: [read]")],
    "poisson users": [("rate: 100/s", "users: 5\n  arrivals: poisson")],
    "spawn rate of arrivals": [("rate: 100/s", "rate: 100/s\n  spawn_rate: 5/s")],
    "stage without hold": [("rate: 100/s", "stages: [{rate: 10/s, ramp: 5s}]")],
    "stage of two levels": [("rate: 100/s", "stages: [{rate: 10/s, users: 5, hold: 5s}]")],
    "stages of both kinds": [("rate: 100/s", "stages: [{rate: 10/s, hold: 5s}, {users: 5, hold: 5s}]")],
    "stage of no length": [("rate: 100/s", "stages: [{rate: 10/s, hold: 0s}]")],
    "workers and processes": [(REQUESTS, "  locustfile: bad.yaml\n  workers: {expect: 2}\n  processes: 2\n")],
    "workers without a number": [(REQUESTS, "  locustfile: bad.yaml\n  workers: {port: 5557}\n")],
    "data that is no list": [("load:", "data: {skus: A1}\nload:")],
    "data called badly": [("load:", "data: {my-skus: [A1]}\nload:")],
    "template of an unknown name": [DATA, ('{sku: "A1", note: null}', '{sku: "{{ pick(sku) }}"}')],
    "template that is never closed": [DATA, ("get: /products", 'get: "/products/{{ pick(skus)"')],
    "template that is a statement": [DATA, ('sku: "A1"', 'sku: "{% for x in skus %}{{ x }}{% endfor %}"')],
    "template that is not quoted": [DATA, ('sku: "A1"', "sku: {{ pick(skus) }}")],
    "template in the target": [DATA, ('default: "http://127.0.0.1:8080"', 'default: "http://{{host}}"')],
    "gauge of an unknown kind": [QUEUE, ("{queue: {http: ", "{queue: {htp: ")],
    "gauge without a kind": [QUEUE, ('http: "http://127.0.0.1:8080/queue", ', "")],
    "gauge with an unknown parameter": [QUEUE, ("every: 5s", "jsonpath: x")],
    "gauge that is read too often": [QUEUE, ("every: 5s", "every: 0s")],
    "gauge with a source that is not there": [QUEUE, ("every: 5s", "source: prometheus")],
    "gauge with a source of another kind": [
        QUEUE,
        ("every: 5s", "source: loki"),
        ("abort:", f"sources: {{loki: {{{PROMETHEUS}}}}}\nabort:"),
    ],
    "gauge of a kind that has a URL of its own, with a source": [
        QUEUE,
        ('{http: "http://127.0.0.1:8080/queue", every: 5s}', '{loki: "http://127.0.0.1:3100", source: loki}'),
        ("abort:", f"sources: {{loki: {{{PROMETHEUS}}}}}\nabort:"),
    ],
    "gauge of a process that is not there": [
        QUEUE,
        ('{http: "http://127.0.0.1:8080/queue", every: 5s}', "{process: shopp, fds: true}"),
    ],
    "objective on an unknown gauge": [QUEUE, ("max(queue)", "max(queu)")],
    "objective on a gauge without slis": [("expect: p95 < 300ms, during: p95 < 1s", "expect: max(queue) < 5")],
    "gauge with another aggregate during": [QUEUE, ("max(queue) < 1000", "max(queue) < 1000, during: mean(queue) < 5")],
    "unknown aggregate": [QUEUE, ("max(queue)", "maximum(queue)")],
    "share of a gauge without a comparison": [QUEUE, ("max(queue) < 1000", "share(queue) < 5%")],
    "gauge with a number that is none": [QUEUE, ("< 1000", "< 10 apples")],
    "ratio": [QUEUE, ("max(queue) < 1000", "ratio(queue) < 5%")],
    "requests of a gauge": [QUEUE, ("max(queue) < 1000", "max(queue) < 1000, where: {endpoint: checkout}")],
    "objective on a load that is not there": [(EXAMPLE[EXAMPLE.index("load:") : EXAMPLE.index("objectives:")], "")],
    "matrix that is no mapping": [("abort:", "matrix: [1, 2]\nabort:")],
    "matrix without values": [("abort:", "matrix: {rate: []}\nabort:")],
    "matrix of a variable": [("abort:", "matrix: {base_url: [a, b]}\nabort:")],
    "matrix with a value twice": [("abort:", "matrix: {speed: [1, 2, 1]}\nabort:")],
    "matrix that is too large": [("abort:", f"matrix: {{a: {list(range(11))}, b: {list(range(10))}}}\nabort:")],
    "matrix with one value that is wrong": [("rate: 100/s", "rate: ${r}"), ("abort:", "matrix: {r: [9/s, 9]}\nabort:")],
    "no most of targets": [("at: 0s, for: 60s", "at: 0s, for: 60s, max_targets: 0")],
    "wrong way without a target": [("at: 0s, for: 60s", "at: 0s, for: 60s, when_no_target: ignore")],
    "fragment that is not there": [("faults:\n", "faults:\n  - use: ./fragments/az-down.yaml\n")],
    "fragment outside the folder": [("faults:\n", "faults:\n  - use: ../../etc/passwd\n")],
    "fragment that is the file itself": [("faults:\n", "faults:\n  - use: bad.yaml\n")],
    "unknown key beside use": [("faults:\n", "faults:\n  - {use: a.yaml, att: 5s}\n")],
    "duplicate key": [("owner: team-checkout", "title: again")],
    "tab": [("  payments: {listen", "\tpayments: {listen")],
}


def errors_of(folder: Path, text: str | bytes, **options: object) -> ExperimentErrors:
    with pytest.raises(ExperimentErrors) as caught:
        load_experiment(
            write(folder, text),
            environ={"API_TOKEN": "t"},
            drivers=fake_drivers,
            probes=fake_probes,
            **options,  # type: ignore[arg-type]
        )
    return caught.value


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_shown_at_its_place_with_its_fix(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert str(errors_of(Path(), changed(*MISTAKES[name]))) == EXPECTED[name]


def test_the_golden_texts_are_of_these_mistakes() -> None:
    assert list(EXPECTED) == list(MISTAKES)


def test_no_message_speaks_of_the_library_behind_it() -> None:
    for word in ("pydantic", "Input should", "https://errors", "ruamel", "Traceback", "str_type", "validator"):
        assert word not in GOLDEN


def test_all_errors_of_a_file_are_reported_in_one_go_and_in_order(tmp_path: Path) -> None:
    errors = errors_of(
        tmp_path,
        changed(
            ("version: 1", "version: one"),
            ('${base_url}"', '${base_ur}"'),
            ("restart: always", "restart: alwys"),
            ("rate: 100/s", "rate: 100"),
            ("endpoint: checkout", "endpoint: chekout"),
            ("during: errors < 5%", "during: p95 < 5s"),
            ("warmup: 10s", "warmup: 10"),
            ("proxy.down", "proxy.donw"),
            ("observe: 20s", "for: 20s"),
            ("abort:", "abrot:"),
        ),
    ).errors
    assert [(e.line, e.code) for e in errors] == [
        (1, "bad-value"),
        (13, "bad-value"),
        (22, "undefined-variable"),
        (23, "bad-value"),
        (32, "unknown-endpoint"),
        (33, "different-metric"),
        (37, "bad-value"),
        (40, "unknown-driver"),
        (41, "reversible"),
        (43, "unknown-key"),
    ]


def test_the_format_is_that_of_the_design() -> None:
    error = Located(
        path="bad.yaml",
        line=9,
        column=1,
        width=5,
        code="unknown-key",
        message="unknown key 'abrot'",
        hint="did you mean 'abort'?",
        source="abrot:",
    )
    assert error.render() == (
        "bad.yaml:9:1: error[unknown-key] unknown key 'abrot'\n"
        "  |\n"
        "9 | abrot:\n"
        "  | ^^^^^\n"
        "  = help: did you mean 'abort'?"
    )


def located(source: str, column: int, width: int, message: str = "m") -> Located:
    return Located(path="f", line=1, column=column, width=width, code="c", message=message, source=source)


def test_carets_stand_below_what_they_mean_also_after_wide_characters() -> None:
    assert located("日本: x", 5, 1).render().splitlines()[-1] == "  |       ^"


def test_a_long_line_is_shown_around_the_mistake() -> None:
    shown = located("a" * 5000 + "BAD" + "b" * 5000, 5001, 3).render().splitlines()
    assert len(shown[2]) < 200
    start = shown[3].index("^")
    assert shown[2][start : start + 3] == "BAD"


def test_nothing_from_a_file_reaches_a_terminal_unescaped() -> None:
    text = located("\x1b[31m\x07 evil\u202e", 1, 3, "\x1b]0;title\x07\nsecond line").render()
    assert not [ch for ch in text if not ch.isprintable() and ch != "\n"]
    assert len(text.splitlines()) == 4


def test_of_ten_thousand_errors_some_are_found_and_fewer_printed(tmp_path: Path) -> None:
    errors = errors_of(tmp_path, changed(("abort:\n", "abort:\n" + "  - nonsense\n" * 10_000)))
    assert len(errors.errors) == MAX_ERRORS
    assert str(errors).endswith(f"… and {MAX_ERRORS - 100} more")
    assert len(render(errors.errors)) < 100_000
