"""Elasticsearch, OpenSearch and Loki, on replies as their APIs document them: no server of theirs has been asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gameday.spi import Probe, ProbeError, QueryError, Secrets, World
from gameday.testing import ProbeContract, Source
from gameday_drivers.elasticsearch_probe import ElasticsearchProbe
from gameday_drivers.loki_probe import LokiProbe
from tests.fakes.recorded_api import Call, Recorded, recorded_api

WORLD = World(run_id="r", secrets=Secrets(values={"pw": "s3cret", "wrong": "wr0ng-one"}))
BASIC = "Basic ZWxhc3RpYzpzM2NyZXQ="
QUERY = 'sum(count_over_time({app="shop"} |= "error" [1m]))'


class Answers:
    """What a test lays out; ``{AT}`` in it is the time that was asked for."""

    def __init__(self) -> None:
        self.status = 200
        self.body: Any = {}
        self.off = 0.0

    def __call__(self, call: Call) -> tuple[int, Any]:
        if isinstance(self.body, bytes):
            return self.status, self.body
        at = float(call.query.get("time", "0")) + self.off
        return self.status, json.dumps(self.body).replace('"{AT}"', f"{at:.3f}").encode()


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def api(answers: Answers) -> Iterator[Recorded]:
    with recorded_api(answers) as recorded:
        yield recorded


def counted(count: Any, *, total: int = 5, successful: int = 5) -> dict[str, Any]:
    shards = {"total": total, "successful": successful, "skipped": 0, "failed": total - successful}
    return {"count": count, "_shards": shards}


def vector(*values: Any) -> dict[str, Any]:
    series = [{"metric": {"n": str(i)}, "value": ["{AT}", value]} for i, value in enumerate(values)]
    return {"status": "success", "data": {"resultType": "vector", "result": series, "stats": {}}}


def elastic(api: Recorded, **given: Any) -> ElasticsearchProbe:
    filled: dict[str, Any] = {"index": "logs-*", "query": "level:error", "timeout_": 500, **given}
    return ElasticsearchProbe(value=api.url, **filled)


def loki(api: Recorded, **given: Any) -> LokiProbe:
    filled: dict[str, Any] = {"query": QUERY, "timeout_": 500, **given}
    return LokiProbe(value=api.url, **filled)


def source(api: Recorded, answers: Answers, probe: Probe, body: Callable[[int], Any]) -> Source:
    numbers = [12]
    answers.body = body(numbers[-1])

    def change() -> None:
        numbers.append(numbers[-1] + 3)
        answers.body = body(numbers[-1])

    def silence() -> None:
        api.silent = True

    def spoil() -> None:
        answers.body = {"took": 3}

    return Source(probe=probe, expected=lambda: numbers[-1], change=change, silence=silence, spoil=spoil)


class TestElasticsearch(ProbeContract):
    @pytest.fixture
    def source(self, api: Recorded, answers: Answers) -> Source:
        return source(api, answers, elastic(api), counted)


class TestLoki(ProbeContract):
    @pytest.fixture
    def source(self, api: Recorded, answers: Answers) -> Source:
        return source(api, answers, loki(api), lambda number: vector(str(number)))


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("", {"match_all": {}}),
        ("level:error", {"query_string": {"query": "level:error"}}),
        ({"bool": {"filter": ({"term": {"level": "error"}},)}}, {"bool": {"filter": [{"term": {"level": "error"}}]}}),
    ],
)
def test_what_elasticsearch_is_asked(api: Recorded, answers: Answers, query: Any, sent: Any) -> None:
    answers.body = counted(0)
    assert elastic(api, index="logs-*,audit", query=query).read(WORLD) == 0
    call = api.seen[-1]
    assert (call.method, call.path, json.loads(call.body)) == ("POST", "/logs-*,audit/_count", {"query": sent})
    assert call.query == {"allow_no_indices": "false", "ignore_unavailable": "false"}
    assert call.headers["Content-Type"] == "application/json"


def test_what_loki_is_asked(api: Recorded, answers: Answers) -> None:
    answers.body = vector("0")
    assert loki(api, headers={"X-Scope-OrgID": "shop"}).read(WORLD) == 0
    call = api.seen[-1]
    assert (call.path, call.query["query"], call.headers["X-Scope-OrgID"]) == ("/loki/api/v1/query", QUERY, "shop")


def test_a_scalar_of_loki_is_a_number(api: Recorded, answers: Answers) -> None:
    answers.body = {"status": "success", "data": {"resultType": "scalar", "result": ["{AT}", "7.5"]}}
    assert loki(api).read(WORLD) == 7.5


NOT_NUMBERS: list[Any] = [None, True, "three", "NaN", "+Inf", "", [], {}]


@pytest.mark.parametrize("value", [*NOT_NUMBERS, "12", float("nan"), float("inf")])
def test_no_count_of_elasticsearch_is_no_reading(api: Recorded, answers: Answers, value: Any) -> None:
    answers.body = counted(value)
    with pytest.raises(QueryError):
        elastic(api).read(WORLD)


@pytest.mark.parametrize("value", [*NOT_NUMBERS, 12])
def test_no_number_of_loki_is_no_reading(api: Recorded, answers: Answers, value: Any) -> None:
    answers.body = vector(value)
    with pytest.raises(QueryError):
        loki(api).read(WORLD)


@pytest.mark.parametrize(
    ("body", "wrong", "words"),
    [
        (counted(7, successful=4), False, "4 of 5 shards answered"),
        ({**counted(7), "terminated_early": True}, False, "not whole"),
        (counted(0, total=0, successful=0), True, "no index is called"),
        ({"count": 7}, False, "None of None shards"),
    ],
)
def test_a_count_that_is_not_whole_is_no_reading(
    api: Recorded, answers: Answers, body: Any, words: str, *, wrong: bool
) -> None:
    answers.body = body
    with pytest.raises(ProbeError, match=words) as raised:
        elastic(api).read(WORLD)
    assert isinstance(raised.value, QueryError) == wrong


def streams() -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": "streams", "result": []}}


@pytest.mark.parametrize(
    ("body", "wrong", "words"),
    [
        (vector(), False, "where no lines mean 0, write absent: zero"),
        (vector("1", "2"), True, "2 results"),
        (streams(), True, "lines, not a number"),
        ({"status": "error"}, False, "did not succeed"),
        ({"status": "success", "data": {"resultType": "vector", "result": None}}, True, "no number"),
        ({"status": "success", "data": {"resultType": "vector", "result": [7]}}, True, "no number"),
        ({"status": "success", "data": None}, False, "did not succeed"),
    ],
)
def test_what_is_not_one_number_of_loki(api: Recorded, answers: Answers, body: Any, words: str, *, wrong: bool) -> None:
    answers.body = body
    with pytest.raises(ProbeError, match=words) as raised:
        loki(api).read(WORLD)
    assert isinstance(raised.value, QueryError) == wrong


def test_no_lines_are_zero_only_where_the_file_says_so(api: Recorded, answers: Answers) -> None:
    answers.body = vector()
    assert loki(api, absent="zero").read(WORLD) == 0
    answers.body = vector("1", "2")
    with pytest.raises(QueryError):
        loki(api, absent="zero").read(WORLD)


@pytest.mark.parametrize("off", [-60, 60])
def test_a_number_of_another_time_is_stale(api: Recorded, answers: Answers, off: float) -> None:
    answers.body, answers.off = vector("1"), off
    with pytest.raises(ProbeError, match="stale"):
        loki(api).read(WORLD)


MAKERS = [pytest.param(elastic, id="elasticsearch"), pytest.param(loki, id="loki")]
GOOD = {**counted(7), **vector("7")}


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("answer", "wrong", "words"),
    [
        ((400, {"error": {"type": "x", "reason": "Failed to parse"}}), True, "answers 400: Failed to parse"),
        ((400, b"parse error at line 1, col 5\nmore"), True, "answers 400: parse error at line 1, col 5$"),
        ((404, {"error": {"reason": "no such index [logs]"}}), True, "answers 404: no such index"),
        ((429, GOOD), False, "answers 429"),
        ((503, GOOD), False, "answers 503"),
        ((204, b""), True, "no JSON"),
        ((200, b""), True, "no JSON"),
        ((200, b"<html>"), True, "no JSON"),
        ((200, [7]), True, "no JSON object"),
        ((200, b"7"), True, "no JSON object"),
        ((200, b" " * (1024 * 1024 + 1)), False, "longer than"),
    ],
)
def test_what_is_no_good_answer(
    api: Recorded, answers: Answers, make: Any, answer: Any, words: str, *, wrong: bool
) -> None:
    answers.status, answers.body = answer
    with pytest.raises(ProbeError, match=words) as raised:
        make(api).read(WORLD)
    assert isinstance(raised.value, QueryError) == wrong
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("make", MAKERS)
def test_a_redirect_is_not_followed(api: Recorded, answers: Answers, make: Any) -> None:
    answers.body, api.location = GOOD, "/elsewhere"
    with pytest.raises(ProbeError, match="answers 302"):
        make(api).read(WORLD)
    assert len(api.seen) == 1


@pytest.mark.parametrize("make", MAKERS)
def test_nobody_there_is_missing(api: Recorded, make: Any) -> None:
    api.url = "http://127.0.0.1:1"
    with pytest.raises(ProbeError, match="refused"):
        make(api).read(WORLD)


@pytest.mark.parametrize("make", MAKERS)
def test_credentials_are_sent_and_never_said(api: Recorded, answers: Answers, make: Any) -> None:
    answers.body, api.login = GOOD, BASIC
    assert make(api, user="elastic", password="${pw}").read(WORLD) == 7
    with pytest.raises(QueryError, match="answers 401: unauthorized") as raised:
        make(api, user="elastic", password="${wrong}").read(WORLD)
    assert "wr0ng-one" not in str(raised.value)
    with pytest.raises(ProbeError, match="secret 'absent' is not set"):
        make(api, user="elastic", password="${absent}").read(WORLD)
    api.login = "Bearer s3cret"
    assert make(api, headers={"Authorization": "Bearer ${pw}"}).read(WORLD) == 7


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"user": "a"}, "^user and password belong together"),
        ({"user": "a", "password": "b"}, "^password stands in the file"),
        ({"user": "a", "password": "${p}", "headers": {"authorization": "x"}}, "^headers have an Authorization"),
        ({"headers": {"A": 3}}, "^headers has a header A"),
    ],
)
def test_what_they_refuse_begins_with_the_parameter(api: Recorded, make: Any, given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make(api, **given)


def test_what_elasticsearch_and_loki_refuse_of_their_own(api: Recorded) -> None:
    with pytest.raises(ValueError, match=r"^index is none"):
        elastic(api, index="a/_search")
    with pytest.raises(ValueError, match=r"^query is empty"):
        loki(api, query=" ")
    with pytest.raises(ValueError, match=r"^value has more than host and path"):
        LokiProbe(value="http://127.0.0.1:3100/?tenant=shop", query=QUERY)
    with pytest.raises(ValueError, match=r"^value is not a URL"):
        LokiProbe(value="loki", query=QUERY)
