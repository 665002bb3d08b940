"""Policy files that cannot be read stop everything; those that can are found wherever they lie above an experiment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gameday.policy import found as finding
from gameday.policy.file import Environment, PolicyError, read_policy
from gameday.policy.found import find_policies
from gameday.policy.refusal import Refusal, located

GOOD = '[environments.a]\nhosts = ["127.0.0.1"]\n'
BAD = {
    "no TOML": ("[environments", "is not TOML"),
    "no environments": ("", "missing key environments"),
    "none at all": ("[environments]", "environments"),
    "no hosts": ("[environments.a]", "needs hosts or kubernetes"),
    "an empty list of hosts": ("[environments.a]\nhosts = []", "needs hosts or kubernetes"),
    "a cluster without namespaces": (GOOD + 'kubernetes = [{context = "a"}]', "has no namespaces"),
    "a cluster without a context": (
        GOOD + 'kubernetes = [{namespaces = ["a"]}]',
        "missing key environments.a.kubernetes.0.context",
    ),
    "approvals by nobody": (GOOD + "approvals = 2", "needs approvals and approvers together"),
    "approvers of nothing": (GOOD + "approvers = 'a'", "needs approvals and approvers together"),
    "no approval": (GOOD + "approvals = 0\napprovers = 'a'", "environments.a.approvals"),
    "revoked of nobody": (GOOD + "revoked = 'a'", "which is for approvers"),
    "an error budget of nothing": (
        GOOD + 'error_budget = {at_least = "25%"}',
        "missing key environments.a.error_budget.slo",
    ),
    "an error budget beyond all": (GOOD + 'error_budget = {slo = "a", at_least = "125%"}', "at_least is from"),
    "an error budget that is no share": (
        GOOD + 'error_budget = {slo = "a", at_least = "much"}',
        "environments.a.error_budget",
    ),
    "a source that a variable names": (GOOD + '[sources.prometheus]\nurl = "${URL}"', "is part of the policy"),
    "a source of another kind": (GOOD + '[sources.loki]\nurl = "http://127.0.0.1"', "is of no known kind"),
    "a misspelt rule": (GOOD + "denny = ['*']", "unknown key environments.a.denny"),
    "no duration": (GOOD + "max_duration = 5", "environments.a.max_duration"),
    "no number": (GOOD + "max_targets = 0", "environments.a.max_targets"),
    "no days": (GOOD + 'windows = [{days = "mon-fun"}]', "no days: 'mon-fun'"),
    "no time": (GOOD + 'windows = [{from = "25:00"}]', "no time of day: '25:00'"),
    "a time after midnight": (GOOD + 'windows = [{from = "24:01"}]', "no time of day"),
    "a window backwards": (GOOD + 'windows = [{from = "22:00", to = "04:00"}]', "write two windows"),
    "no zone": (GOOD + 'windows = [{timezone = "Europe/Londn"}]', "no time zone"),
    "a zone outside the database": (GOOD + 'windows = [{timezone = "../../etc/passwd"}]', "no time zone"),
    "no moment": (GOOD + 'blackout = [{from = "soon", to = "2027-01-01"}]', "no day or moment"),
    "a blackout backwards": (GOOD + 'blackout = [{from = "2027-01-02", to = "2027-01-01"}]', "is not after"),
    "no rule": (GOOD + 'abort = ["errors loose 3s"]', "environments.a.abort"),
    "too large": (GOOD + "#" * (1 << 20), "larger than 1 MiB"),
    "not UTF-8": ("\udcff", "is not TOML"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said(name: str, tmp_path: Path) -> None:
    text, says = BAD[name]
    path = tmp_path / "gameday.toml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(PolicyError) as caught:
        read_policy(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_every_policy_above_the_file_applies_the_nearest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    near = tmp_path / "a" / "b"
    near.mkdir(parents=True)
    machine, named = tmp_path / "machine.toml", tmp_path / "named.toml"
    paths = [near / "gameday.toml", tmp_path / "gameday.toml", machine, named]
    for path in paths:
        path.write_text(GOOD)
    monkeypatch.setattr(finding, "MACHINE", machine)
    monkeypatch.setenv("GAMEDAY_POLICY", str(named))
    assert [policy.path for policy in find_policies(near / "experiment.yaml")] == paths


def test_a_link_does_not_leave_its_policy_behind(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "gameday.toml").write_text(GOOD)
    (home / "experiment.yaml").write_text("")
    link = tmp_path / "elsewhere" / "experiment.yaml"
    link.parent.mkdir()
    link.symlink_to(home / "experiment.yaml")
    assert [policy.path.parent for policy in find_policies(link)] == [home]


def test_a_policy_that_is_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMEDAY_POLICY", str(tmp_path / "none.toml"))
    with pytest.raises(PolicyError, match="is no file"):
        find_policies(tmp_path / "experiment.yaml")


LINES = """\
[environments.a]
hosts = ["x"]
deny = ["y"]
[environments."b.c"]
deny = []
hosts = ["z"]
[sources.deny]
deny = 1
"""


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("gameday.toml: environments.a.deny", 3),
        ("gameday.toml: environments.a.allow", 1),
        ("gameday.toml: environments.b.c.deny", 5),
        ("gameday.toml: environments.b.c.allow", 4),
        ("gameday.toml: environments.d.deny", 0),
        ("gameday.toml: environments", 0),
    ],
)
def test_a_refusal_knows_the_line_of_its_rule(rule: str, line: int) -> None:
    refusal = located(Refusal(rule=rule, says="no"), LINES)
    assert refusal.line == line
    assert str(refusal) == f"no ({rule}{f', line {line}' if line else ''})"


def test_the_page_about_policies_has_every_key_and_its_example_is_valid(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/policy.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "gameday.toml").write_text(block)
    assert set(read_policy(tmp_path / "gameday.toml").rules.environments) == {"staging", "production"}
    assert [key for key in Environment.bound() if f"`{key}`" not in page] == []
