"""What is left of an error budget, asked of a Prometheus that answers as it is told; and a real run that is refused for it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gameday.policy.file import read_policy
from gameday.policy.refusal import Refusal
from gameday.runner.budget import Left, budgets
from tests.fakes.policies import run_at
from tests.harness import Lab
from tests.unit.test_openslo import RATIO, THRESHOLD


@dataclass
class Answers:
    """What a server says: numbers by a part of the question; None is no series."""

    url: str = ""
    good: float | None = 999_500.0
    total: float | None = 1_000_000.0
    known: float | None = 100.0
    beyond: float | None = 0.002
    status: int = 200
    tokens: list[str | None] = field(default_factory=list[str | None])

    def number(self, query: str) -> float | None:
        if "count_over_time" in query:
            return self.known
        if "avg_over_time" in query:
            return self.beyond
        return self.good if "code!~" in query else self.total


@pytest.fixture
def server() -> Iterator[Answers]:
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers.tokens.append(self.headers["Authorization"])
            number = answers.number(parse_qs(urlsplit(self.path).query)["query"][0])
            result: list[Any] = [] if number is None else [{"metric": {}, "value": [0, str(number)]}]
            body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()
            self.send_response(answers.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    answers.url = f"http://127.0.0.1:{http.server_address[1]}"
    yield answers
    http.shutdown()
    thread.join()
    http.server_close()


POLICY = """
[environments.production]
hosts = ["127.0.0.1"]
allow = ["command"]
error_budget = {slo = "slo.yaml", at_least = "AT_LEAST"}
[sources.prometheus]
url = "URL"
token = "${TOKEN}"
"""

OTHER = POLICY.replace("[sources.prometheus]", '[sources.other]\nkind = "prometheus"')


def ask(folder: Path, server: Answers, at_least: str = "25%", slo: str = RATIO, policy: str = POLICY) -> Left | Refusal:
    (folder / "slo.yaml").write_text(slo)
    (folder / "gameday.toml").write_text(policy.replace("AT_LEAST", at_least).replace("URL", server.url))
    (found,) = budgets([read_policy(folder / "gameday.toml")], run_at(), {"TOKEN": "s3cret"})
    return found


@pytest.mark.parametrize(("at_least", "enough"), [("25%", True), ("50%", True), ("51%", False), ("100%", False)])
def test_what_is_left_of_a_budget_of_requests(tmp_path: Path, server: Answers, at_least: str, enough: bool) -> None:
    """500 bad of a million, of which 1,000 may be: half of the budget is left."""
    found = ask(tmp_path, server, at_least)
    assert isinstance(found, Left) == enough
    if isinstance(found, Left):
        assert found.share == pytest.approx(0.5)
        assert found.record()["bad"] == pytest.approx(500)
    else:
        assert "50% is left of the error budget of checkout-availability over 30 days" in str(found)
        assert "gameday.toml: environments.production.error_budget" in str(found)
    assert set(server.tokens) == {"Bearer s3cret"}


@pytest.mark.parametrize(("beyond", "left"), [(0.002, 0.8), (0.0, 1.0), (0.01, None), (0.5, None)])
def test_what_is_left_of_a_budget_of_a_gauge(
    tmp_path: Path, server: Answers, beyond: float, left: float | None
) -> None:
    server.beyond = beyond
    found = ask(tmp_path, server, slo=THRESHOLD)
    if left is None:
        assert "nothing is left" in str(found)
    else:
        assert isinstance(found, Left)
        assert found.share == pytest.approx(left)


def silent(server: Answers) -> None:
    server.url = "http://127.0.0.1:9"


NOT_KNOWN: dict[str, tuple[Callable[[Answers], object], str, str, str]] = {
    # name: (what the server does, the document, the policy, what the refusal says)
    "no good ones": (lambda server: setattr(server, "good", None), RATIO, POLICY, "has no series"),
    "no requests at all": (lambda server: setattr(server, "total", None), RATIO, POLICY, "has no series"),
    "nothing counted": (lambda server: setattr(server, "total", 0.0), RATIO, POLICY, "nothing was counted"),
    "no number": (lambda server: setattr(server, "total", float("nan")), RATIO, POLICY, "no number"),
    "half of the window": (
        lambda server: setattr(server, "known", 50.0),
        RATIO,
        POLICY,
        "only 50% of its 30 days is known",
    ),
    "no coverage": (lambda server: setattr(server, "known", None), RATIO, POLICY, "has no series"),
    "no gauge": (lambda server: setattr(server, "beyond", None), THRESHOLD, POLICY, "has no series"),
    "an error": (lambda server: setattr(server, "status", 503), RATIO, POLICY, "it answers 503"),
    "nobody there": (silent, RATIO, POLICY, "prometheus at"),
    "no window": (lambda server: None, RATIO.replace("timeWindow", "x-timeWindow"), POLICY, "has no timeWindow"),
    "no target": (lambda server: None, RATIO.replace("target: 0.999", "target: 1"), POLICY, "a target is a share"),
    "no YAML": (lambda server: None, "{", POLICY, "cannot be read"),
    "no mapping": (lambda server: None, "- a", POLICY, "slo.yaml"),
    "no source": (lambda server: None, RATIO, POLICY.partition("[sources")[0], "no sources of kind prometheus"),
    "another source": (
        lambda server: None,
        THRESHOLD,
        OTHER,
        "no source 'prometheus'",
    ),
    "no token": (lambda server: None, RATIO, POLICY.replace("${TOKEN}", "${OTHER}"), "'OTHER' is not set"),
}


@pytest.mark.parametrize("name", NOT_KNOWN)
def test_a_budget_that_is_not_known_is_none(tmp_path: Path, server: Answers, name: str) -> None:
    change, slo, policy, says = NOT_KNOWN[name]
    change(server)
    found = ask(tmp_path, server, slo=slo, policy=policy)
    assert isinstance(found, Refusal)
    assert says in str(found)
    assert "cannot be told, so nothing may run" in str(found)
    assert "s3cret" not in str(found)


def test_a_run_that_the_budget_does_not_allow_touches_nothing(
    tmp_path: Path, server: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")
    lab = Lab(tmp_path)
    path = lab.write()
    (tmp_path / "slo.yaml").write_text(RATIO)
    (tmp_path / "gameday.toml").write_text(POLICY.replace("AT_LEAST", "75%").replace("URL", server.url))
    done = lab.run(path)
    assert (done.code, done.reasons) == (3, ["policy"])
    assert "75% is asked for" in done.verdict["stopped"]["detail"]
    assert done.kinds() == ["opened", "refused", "closed"]
    assert "s3cret" not in (lab.run_folder / "journal.ndjson").read_text()
    planned = lab.run_verb("plan", str(path))
    assert planned.code == 3
    assert "75% is asked for" in planned.out
