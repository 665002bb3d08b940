"""The section ``notify:``: exactly one means each, no secret written out, and mistakes at their places."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.schema.errors import ExperimentErrors
from gameday.schema.experiment import Experiment
from gameday.schema.loader import load_experiment
from gameday.schema.notify import Channel
from gameday.schema.section import InvalidError
from tests.fakes.experiment_file import EXAMPLE


def load(tmp_path: Any, notify: str) -> Experiment:
    path = tmp_path / "e.yaml"
    path.write_text(EXAMPLE + f"\nnotify: {notify}\n")
    return load_experiment(path, require_values=False).experiment


def test_all_four_are_read_and_written_back(tmp_path: Any) -> None:
    notify = """
  - {slack: "http://127.0.0.1:9/x", on: [start, abort, end]}
  - {teams: "http://localhost:9/x"}
  - {webhook: "https://hooks.example.com/x", ca: ca.pem}
  - {email: sre@example.com, smtp: "smtp://mail.example.com", from: gameday@example.com}
  - {email: [a@example.com, b@example.com]}"""
    found = load(tmp_path, notify)
    assert [channel.kind for channel in found.notify] == ["slack", "teams", "webhook", "email", "email"]
    assert found.notify[0].on == ("start", "abort", "end")
    assert found.notify[1].on == ("abort", "fail", "dirty")
    assert found.notify[3].email == ("sre@example.com",)
    assert Experiment.model_validate(found.to_json()) == found


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({}, "exactly one of slack, teams, webhook and email"),
        ({"slack": "http://127.0.0.1/", "email": "a@b.example"}, "exactly one"),
        ({"slack": "http://127.0.0.1/", "secret": "${key}"}, "signs what a webhook is sent"),
        ({"webhook": "https://h.example", "secret": "hunter2"}, "must be a secret variable"),
        ({"webhook": "https://h.example", "smtp": "smtp://h.example"}, "are for mail"),
        ({"webhook": "ftp://h.example"}, "not a URL"),
        ({"email": "not an address"}, "not an e-mail address"),
        ({"email": "a@b.example\nBcc: c@d.example"}, "one line"),
        ({"email": "a@b.example, c@d.example"}, "not an e-mail address"),
        ({"email": "a@b.example", "smtp": "http://h.example"}, "not the URL of a mail server"),
        ({"email": []}, "1"),
        ({"webhook": "https://h.example", "on": ["sometimes"]}, "start or abort"),
        ({"webhook": "https://h.example", "on": []}, "1"),
    ],
)
def test_what_is_refused(raw: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidError) as caught:
        Channel.model_validate(raw)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ('{slack: "https://hooks.slack.com/services/T0/B0/xyz"}', "the URL of Slack"),
        ('{teams: "https://prod.example.logic.azure.com/workflows/x?sig=y"}', "the URL of Teams"),
        ('{email: a@b.example, smtp: "smtp://bot:hunter2@mail.example.com"}', "the password of smtp"),
        ('{webhook: "https://bot:hunter2@hooks.example.com"}', "the password of webhook"),
    ],
)
def test_a_secret_that_is_written_out_is_refused_at_its_place(tmp_path: Any, entry: str, what: str) -> None:
    with pytest.raises(ExperimentErrors) as caught:
        load(tmp_path, f"[{entry}]")
    [error] = caught.value.errors
    assert what in error.message
    assert "secret: true" in error.hint
    assert error.line == (EXAMPLE + "\nnotify").count("\n") + 1


def test_a_misspelt_key_has_its_suggestion(tmp_path: Any) -> None:
    with pytest.raises(ExperimentErrors) as caught:
        load(tmp_path, '[{webhok: "https://h.example"}]')
    assert "webhook" in caught.value.errors[0].hint
