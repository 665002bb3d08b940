"""Variables: who wins, what type they have, and where a secret may never be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from gameday.schema.errors import ExperimentErrors
from gameday.schema.loader import Loaded, load_experiment
from tests.fakes.experiment_file import changed, requests_of, write

TOKEN = {"API_TOKEN": "from-environment"}


def load(folder: Path, *changes: tuple[str, str], environ: Mapping[str, str] = TOKEN, **options: object) -> Loaded:
    return load_experiment(write(folder, changed(*changes)), environ=environ, **options)  # type: ignore[arg-type]


def messages(folder: Path, *changes: tuple[str, str], **options: object) -> list[str]:
    with pytest.raises(ExperimentErrors) as caught:
        load(folder, *changes, **options)  # type: ignore[arg-type]
    return [error.message for error in caught.value.errors]


def test_var_wins_over_file_over_environment_over_default(tmp_path: Path) -> None:
    sources: dict[str, dict[str, dict[str, str]]] = {
        "default": {},
        "environ": {"environ": {**TOKEN, "BASE_URL": "http://environ"}},
        "file": {"secret_values": {"base_url": "http://file"}},
        "var": {"variables": {"base_url": "http://var"}},
    }
    given: dict[str, dict[str, str]] = {}
    targets: list[str] = []
    for more in sources.values():
        given |= more
        targets.append(load(tmp_path, **given).experiment.profile.target)
    assert targets == ["http://127.0.0.1:8080", "http://environ", "http://file", "http://var"]


def test_an_empty_environment_variable_is_not_set(tmp_path: Path) -> None:
    assert load(tmp_path, environ={**TOKEN, "BASE_URL": ""}).experiment.profile.target == "http://127.0.0.1:8080"
    assert messages(tmp_path, environ={"API_TOKEN": ""}) == ["secret 'api_token' has no value"]


def test_a_whole_value_keeps_its_type_and_a_part_becomes_text(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        ("variables:\n", "variables:\n  weight: 7\n  fine: true\n  share: 0.5\n"),
        ("weight: 7, get: /products", 'weight: "${weight}", get: "/products?n=${weight}&fine=${fine}"'),
        ('{sku: "A1", note: null}', '{n: "${weight}", fine: "${fine}", share: "${share}", text: "n${weight}"}'),
    )
    browse, checkout = requests_of(loaded.experiment)
    assert (browse.weight, browse.path) == (7, "/products?n=7&fine=true")
    assert checkout.json_ == {"n": 7, "fine": True, "share": 0.5, "text": "n7"}


def test_a_given_value_has_the_type_of_the_files_own(tmp_path: Path) -> None:
    declare = ("variables:\n", "variables:\n  weight: 7\n  share: 0.5\n")
    use = ('{sku: "A1", note: null}', '["${weight}", "${share}"]')
    loaded = load(tmp_path, declare, use, variables={"weight": "9", "share": "2"})
    assert requests_of(loaded.experiment)[1].json_ == [9, 2.0]
    assert messages(tmp_path, declare, use, variables={"weight": "nine"}) == [
        "variable 'weight' is 7 here, but was given as 'nine'"
    ]


def test_text_given_for_text_stays_text(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        ("variables:\n", 'variables:\n  sku: "007"\n'),
        ('{sku: "A1", note: null}', '{sku: "${sku}"}'),
        variables={"sku": "008"},
    )
    assert requests_of(loaded.experiment)[1].json_ == {"sku": "008"}


def test_built_in_variables(tmp_path: Path) -> None:
    builtins = {"run.id": "r-1", "run.seed": "42"}
    loaded = load(tmp_path, ("get: /products", 'get: "/products?seed=${run.seed}"'), builtins=builtins)
    assert loaded.experiment.profile.headers["X-Gameday-Run"] == "r-1"
    assert requests_of(loaded.experiment)[0].path == "/products?seed=42"


def test_a_secret_stays_a_reference_and_its_value_is_only_in_secrets(tmp_path: Path) -> None:
    loaded = load(tmp_path, environ={"API_TOKEN": "hunter2"})
    assert loaded.experiment.profile.headers["Authorization"] == "Bearer ${api_token}"
    assert loaded.secrets.reveal("Bearer ${api_token}") == "Bearer hunter2"
    assert "hunter2" not in repr(loaded)
    assert "hunter2" not in str(loaded.experiment.to_json())


def test_a_variable_file_may_hold_secrets_and_a_command_line_may_not(tmp_path: Path) -> None:
    assert load(tmp_path, secret_values={"api_token": "from-file"}).secrets.values == {"api_token": "from-file"}
    assert messages(tmp_path, variables={"api_token": "x"}) == [
        "secret 'api_token' was given by --var, where every user can read it"
    ]


def test_a_secret_without_value_is_needed_when_validating_and_missing_when_running(tmp_path: Path) -> None:
    loaded = load(tmp_path, environ={}, require_values=False)
    assert loaded.needed == ("api_token",)
    assert loaded.secrets.values == {}
    assert messages(tmp_path, environ={}) == ["secret 'api_token' has no value"]


@pytest.mark.parametrize(
    "change",
    [
        ('--port, "9002"', '"--token=${api_token}"'),
        ('tcp: "127.0.0.1:9002"', 'command: [curl, "http://x/${api_token}"]'),
        ("do: proxy.down, with: {proxy: payments}", 'do: command, with: {run: [x, "${api_token}"]}'),
        ("do: proxy.down, with: {proxy: payments}", 'do: command, with: {run: [x], undo: "${api_token}"}'),
        ("do: proxy.down, with: {proxy: payments}", 'do: command, with: {run: [x], active: [y, ["${api_token}"]]}'),
        ("do: proxy.down, with: {proxy: payments}", 'do: chaostoolkit, with: {args: {x: "${api_token}"}}'),
    ],
)
def test_a_secret_never_reaches_a_command_line(tmp_path: Path, change: tuple[str, str]) -> None:
    assert messages(tmp_path, change) == ["secret 'api_token' in a command line"]


def test_a_secret_may_be_in_an_environment_a_header_a_body_and_a_url(tmp_path: Path) -> None:
    load(
        tmp_path,
        ("restart: always", 'env: {TOKEN: "${api_token}"}'),
        ('{sku: "A1", note: null}', '{token: "${api_token}"}'),
        ("get: /products", 'get: "/products?key=${api_token}"'),
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("base_url: {env: BASE_URL, default: ", "base-url: {env: BASE_URL, default: "),
            "not a variable's name: 'base-url'",
        ),
        (("{env: BASE_URL, default: ", "{env: 5, default: "), "env must be the name of an environment variable"),
        (("secret: true", "secret: please"), "secret must be true or false"),
        (('default: "http://127.0.0.1:8080"', "default: [a]"), "default must be one value"),
        ((', default: "http://127.0.0.1:8080"', ""), "variable 'base_url' has no value"),
        (("variables:\n", "variables:\n  nothing:\n"), "variable 'nothing' has no value"),
        (("variables:\n", "variables:\n  list: [1, 2]\n"), "variable 'list' has no value"),
        (
            ("variables:\n", "variables:\n  other: ${base_url}\n"),
            "the value of 'other' contains '${'; a variable cannot name another",
        ),
    ],
)
def test_wrong_declarations(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    assert message in messages(tmp_path, change)


def test_a_value_from_outside_cannot_name_a_secret(tmp_path: Path) -> None:
    for given in (
        {"variables": {"base_url": "http://x/${api_token}"}},
        {"environ": {**TOKEN, "BASE_URL": "http://${api_token}"}},
    ):
        assert messages(tmp_path, **given) == ["the value of 'base_url' contains '${'; a variable cannot name another"]


def test_a_wrong_declaration_is_said_once_and_not_again_at_each_use(tmp_path: Path) -> None:
    assert messages(tmp_path, ("{env: BASE_URL, default: ", "{env: BASE_URL, defalt: ")) == [
        "variable 'base_url' has no value",
        "unknown key 'defalt' in variable 'base_url'",
    ]


def test_variables_must_be_a_mapping(tmp_path: Path) -> None:
    text = changed().replace(
        'variables:\n  base_url: {env: BASE_URL, default: "http://127.0.0.1:8080"}\n', "variables: 5\n"
    )
    text = text.replace("  api_token: {env: API_TOKEN, secret: true}\n", "")
    with pytest.raises(ExperimentErrors, match="'variables' must be a mapping"):
        load_experiment(write(tmp_path, text))


def test_what_a_file_declares_is_known(tmp_path: Path) -> None:
    assert load(tmp_path).declared == {"base_url", "api_token"}
