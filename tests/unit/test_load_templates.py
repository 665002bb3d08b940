"""Templates in requests: what they become, what they may not, and that secrets are never templates."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.load.config import profile_config
from gameday.load.templates import Templates
from gameday.load.wire import compile_requests
from gameday.spi.errors import LoadError
from gameday.spi.world import Secrets
from tests.fakes.load_run import profile

DATA: dict[str, list[Any]] = {"skus": ["A1", "B2"], "sizes": [1, 2, 3], "flags": [True]}


def rendered(value: Any, *, first: int = 0, stride: int = 1, times: int = 1) -> Any:
    render = Templates(DATA, seed=7, first=first, stride=stride).compile(value, "the request 'x'")
    found = [render() for _ in range(times)]
    return found[0] if times == 1 else found


def request_bytes(request: dict[str, Any], secrets: dict[str, str] | None = None, **more: Any) -> bytes:
    load = profile("http://shop", "1/s", [{"name": "x", **request}], **more)
    config = profile_config(load, Secrets(values=secrets or {}).reveal, DATA)
    (prepared,) = compile_requests(config, Templates(config["data"], seed=7).compile)
    return (prepared.render() if prepared.render else prepared).data


def test_one_expression_alone_keeps_its_type() -> None:
    assert rendered({"n": "{{ pick(sizes) }}", "f": "{{ pick(flags) }}"})["f"] is True
    assert rendered("{{ pick(sizes) }}") in (1, 2, 3)
    assert rendered("size {{ pick(sizes) }}") in ("size 1", "size 2", "size 3")


def test_pick_randint_and_uuid_repeat_with_the_seed_and_differ_between_generators() -> None:
    text = "{{ pick(skus) }} {{ randint(1, 1000) }} {{ uuid() }}"
    assert rendered(text, times=5) == rendered(text, times=5)
    assert rendered(text) != rendered(text, first=1, stride=2)
    assert len(set(rendered("{{ uuid() }}", times=50))) == 50


def test_counters_of_all_generators_together_count_once_each() -> None:
    together = [n for first in range(3) for n in rendered("{{ counter() }}", first=first, stride=3, times=4)]
    assert sorted(together) == list(range(1, 13))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{ nope }}", "'nope' is undefined"),
        ("a {{ pick(nope) }}", "'nope' is undefined"),
        ("{{ pick([]) }}", "IndexError"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ pick.__self__ }}", "unsafe"),
        ("{{ skus.append('x') }}", "SecurityError"),
        ("{{ range(9) }}", "'range' is undefined"),
        ("{{ 'x' * 2000000 }}", "characters long"),
    ],
)
def test_what_goes_wrong_is_a_load_error_that_says_what(text: str, says: str) -> None:
    with pytest.raises(LoadError, match=says):
        rendered(text)


@pytest.mark.parametrize("text", ["{{ pick( }}", "{{ a b }}", "x {{ 1 }} {% if %}", "{{ a.b..c }}"])
def test_what_is_no_template_is_said_at_once_with_the_requests_name(text: str) -> None:
    with pytest.raises(LoadError, match="the request 'x' has a template that cannot be read"):
        Templates(DATA, seed=1).compile(text, "the request 'x'")


def test_braces_that_are_never_closed_are_found_without_a_template_engine() -> None:
    with pytest.raises(LoadError, match="the request 'x' opens"):
        compile_requests(profile_config(profile("http://shop", "1/s", [{"name": "x", "get": "/{{ counter("}]), str))


def test_path_headers_json_and_body_are_rendered_and_the_length_is_right() -> None:
    data = request_bytes(
        {
            "post": "/{{ counter() }}?a={{ pick(skus) }}",
            "headers": {"X-Id": "{{ uuid() }}"},
            "json": {"q": "{{ pick(sizes) }}"},
        }
    )
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /1?a=")
    assert json.loads(body)["q"] in (1, 2, 3)
    assert f"Content-Length: {len(body)}".encode() in head
    assert request_bytes({"post": "/", "body": "n={{ counter() }}"}).endswith(b"\r\n\r\nn=1")


def test_headers_of_every_request_are_rendered_too() -> None:
    assert b"\r\nX-N: 1\r\n" in request_bytes({"get": "/"}, headers={"X-N": "{{ counter() }}"})


def test_a_request_without_braces_is_bytes_from_the_beginning() -> None:
    config = profile_config(profile("http://shop", "1/s", [{"name": "x", "get": "/"}]), str)
    assert compile_requests(config, Templates({}, seed=1).compile)[0].render is None


def test_what_is_rendered_cannot_break_out_of_a_header_or_lead_elsewhere() -> None:
    with pytest.raises(LoadError, match="line break"):
        request_bytes({"get": "/", "headers": {"X": "{{ 'a\\r\\nHost: evil' }}"}})
    with pytest.raises(LoadError, match="a path with spaces"):
        request_bytes({"get": "/{{ 'a b' }}"})
    with pytest.raises(LoadError, match="would load the host evil"):
        request_bytes({"get": "http://{{ 'evil' }}/"}, allow_hosts=["shop", "0"])


@settings(deadline=None)
@given(st.text(alphabet="{}%#'\"\\ax \t$", max_size=30))
def test_the_value_of_a_secret_is_never_a_template(value: str) -> None:
    found = request_bytes({"post": "/", "body": "${token}"}, {"token": value})
    assert found.partition(b"\r\n\r\n")[2] == value.encode()


def test_a_secret_with_braces_beside_a_template_is_refused_and_not_shown() -> None:
    with pytest.raises(LoadError, match="a secret with braces") as caught:
        request_bytes({"post": "/", "body": "${token} {{ counter() }}"}, {"token": "{{ skus }}"})
    assert "skus" not in str(caught.value)
    assert request_bytes({"post": "/", "body": "${token} {{ counter() }}"}, {"token": "t"}).endswith(b"t 1")
