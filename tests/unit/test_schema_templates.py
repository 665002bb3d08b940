"""Templates in requests: whole, of known names, and where they may stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from gameday.schema.errors import ExperimentErrors
from gameday.schema.loader import load_experiment
from tests.fakes.experiment_file import changed, write

DATA = ("load:", "data: {skus: [A1, B2], n: [1, 2.5, true]}\nload:")


def errors(folder: Path, template: str) -> list[tuple[str, str]]:
    text = changed(DATA, ('sku: "A1"', "sku: '" + template.replace("'", "''") + "'"))
    try:
        load_experiment(write(folder, text), environ={"API_TOKEN": "t"})
    except ExperimentErrors as caught:
        return [(error.code, error.message) for error in caught.errors]
    return []


@pytest.mark.parametrize(
    "template",
    [
        "{{ pick(skus) }}",
        "a-{{pick(skus)}}-{{ counter() }}-{{ uuid() }}",
        "{{ randint(1, 6) }}",
        "{{ pick(skus) | upper }}",
        "{{ skus|length }}",
        "{{ 'text with names' }}",
        '{{ "so }" ~ pick(n) }}',
        "{{ pick(skus) if randint(0, 1) else 'none' }}",
        "{{ n is defined and 1e5 }}",
        "{{ skus | join(sep=',') }}",
        "no template } at all",
    ],
)
def test_a_template_that_is_whole(tmp_path: Path, template: str) -> None:
    assert errors(tmp_path, template) == []


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ pick(skuss) }}", "undefined name 'skuss' in a template"),
        ("{{ choose(skus) }}", "undefined name 'choose' in a template"),
        ("{{ pick(skus)", "'{{' without '}}'"),
        ("{{ pick(skus }}", "not a template: {{ pick(skus }}"),
        ("{{ 'a }}", "not a template: {{ 'a }}"),
        ("{{ }}", "an empty template"),
        ("{{ x }}{# c #}", "only {{ … }} is a template here"),
    ],
)
def test_a_template_that_is_not(tmp_path: Path, template: str, message: str) -> None:
    assert errors(tmp_path, template) == [("template", message)]


def test_paths_bodies_and_headers_are_templates_and_hosts_are_not(tmp_path: Path) -> None:
    good = changed(
        DATA,
        ("get: /products", "get: '/products/{{ pick(skus) }}?n={{ counter() }}'"),
        ("X-Gameday-Run", "X-{{}}"),
    ).replace("X-{{}}", "X-Sku: '{{ pick(skus) }}', X-Gameday-Run")
    assert load_experiment(write(tmp_path, good), environ={"API_TOKEN": "t"}).experiment.data["n"] == (1, 2.5, True)
    bad = changed(DATA, ("get: /products", "get: 'http://{{ pick(skus) }}.example.com/'"))
    with pytest.raises(ExperimentErrors) as caught:
        load_experiment(write(tmp_path, bad), environ={"API_TOKEN": "t"})
    assert [error.code for error in caught.value.errors] == ["host"]
