"""Production with approvals, on real runs: without two people that approved just this, nothing is injected, whatever is given."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from gameday.cli.approve import approve
from gameday.cli.run import run
from gameday.policy.subject import lasting
from gameday.registry import load_driver
from gameday.spi import World
from gameday.testing import eventually
from tests.fakes.approvers import SIGNERS, Office
from tests.fakes.kube import FakeKube
from tests.fakes.policies import fault, run_at
from tests.harness import Lab, switch

POLICY = f"""
[environments.production]
hosts = ["127.0.0.1"]
allow = ["command", "process.*"]
approvals = 2
approvers = "{SIGNERS}"
"""


class Lazy(BaseHTTPRequestHandler):
    """Answers 0 to everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1")
        self.end_headers()
        self.wfile.write(b"0")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Lazy)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/depth"
    server.shutdown()
    thread.join()
    server.server_close()


class Production:
    """A lab whose policy asks for two approvals of Ana and Ben."""

    def __init__(self, folder: Path, url: str, **fault: Any) -> None:
        self.lab, self.office = Lab(folder), Office(folder).may("ana@example.com", "ana").may("ben@example.com", "ben")
        (folder / "gameday.toml").write_text(POLICY)
        given = {"do": "command", "with": switch(folder), "at": "0s", "for": "1s", **fault}
        self.path = self.lab.write(
            {
                "version": 1,
                "title": "The queue stays short",
                "variables": {"most": "5"},
                "slis": {"queue": {"http": url, "every": "500ms"}},
                "objectives": {"short": {"expect": "max(queue) < ${most}", "recover": {"within": "2s", "hold": "1s"}}},
                "phases": {"warmup": "0s", "baseline": "2s", "recovery": "4s"},
                "faults": [{"one": given}],
            }
        )

    def approve(self, *names: str) -> None:
        for name in names:
            done = approving(self.path, self.office.key(name))
            assert done.exit_code == 0, done.output + repr(done.exception)

    def refused(self, *words: str, says: str) -> None:
        done = self.lab.measured(self.path, *words)
        assert done.code == 3, done.out + done.err
        assert done.reasons == ["policy"]
        assert says in done.verdict["stopped"]["detail"]
        assert not {"armed", "inject-called", "load-started"} & set(done.kinds())
        assert not (self.lab.folder / "broken").exists()


def approving(path: Path, key: Path, *words: str) -> Result:
    return CliRunner().invoke(approve, [str(path), "--key", str(key), *words])


VALUES = {
    "--var": "most=5",
    "--var-file": "vars",
    "--repeat": "2",
    "--seed": "1",
    "--output": "runs",
    "--report-url": "https://ci.example.com/1",
}


def every_flag() -> list[str]:
    """Every option of ``gameday run``, also those that are yet to come, with a value where it takes one."""
    words: list[str] = []
    for option in run.params:
        if isinstance(option, click.Option):
            name = option.opts[0]
            choices = option.type.choices if isinstance(option.type, click.Choice) else ("1",)
            words += [name] if option.is_flag else [name, VALUES.get(name, str(choices[0]))]
    return words


def test_with_one_approval_no_flag_and_no_variable_lets_it_run(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    production = Production(tmp_path, url)
    production.approve("ana")
    lax = tmp_path / "lax.toml"
    lax.write_text('[environments.all]\nhosts = ["*"]\nallow = ["command"]\n')
    monkeypatch.setenv("GAMEDAY_POLICY", str(lax))
    (tmp_path / "vars").write_text("most=5\n")
    words = every_flag()
    assert {"--yes", "--accept", "--after-recover", *VALUES} <= set(words)
    production.refused(*words, says="2 people have to approve, and ana@example.com did")
    assert len(list(production.lab.runs.iterdir())) == 2


def test_the_targets_that_were_approved_are_those_that_are_touched(tmp_path: Path, url: str) -> None:
    pidfile = tmp_path / "pid"
    production = Production(tmp_path, url, do="process.pause", **{"with": {"pidfile": str(pidfile)}})
    sleepers = [subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) for _ in range(2)]
    try:
        pidfile.write_text(str(sleepers[0].pid))
        production.approve("ana", "ben")
        pidfile.write_text(str(sleepers[1].pid))
        production.refused(says="it is for other targets")
    finally:
        for one in sleepers:
            one.kill()
            one.communicate()


def test_pods_that_are_chosen_anew_for_each_run_are_approved_by_what_stays(tmp_path: Path) -> None:
    with FakeKube() as kube:
        kube.deploy("web", 3)
        assert eventually(lambda: len(kube.ready("web")) == 3)
        where = {"kubeconfig": kube.write_kubeconfig(tmp_path / "kubeconfig"), "context": "fake", "namespace": "shop"}
        given = {**where, "selector": "app=web", "grace": "0s"}
        driver = load_driver("k8s.pod-kill", given)
        plans = [driver.plan(World(run_id=f"run-{number}", fault="one")) for number in range(8)]
    run = run_at(**fault("k8s.pod-kill", **given))
    assert len({plan.targets for plan in plans}) > 1
    approved = [lasting(run, {"one": plan.targets}) for plan in plans]
    assert approved == [{"one": {f"pod shop/* in fake ({kube.url})": 1}}] * len(plans)


@pytest.mark.long
def test_two_people_approve_and_any_change_voids_it(tmp_path: Path, url: str) -> None:
    production = Production(tmp_path, url)
    production.approve("ana", "ben")
    done = production.lab.measured(production.path)
    kinds = done.kinds()
    assert "refused" not in kinds, done.out + done.err
    assert production.lab.happened("gate", passed=True) == ("armed" in kinds)
    (record,) = [event["data"] for event in production.lab.events() if event["kind"] == "approved"]
    assert (record["needed"], record["people"]) == (2, ["ana@example.com", "ben@example.com"])
    assert kinds.index("planned") < kinds.index("approved") < kinds.index("phase")
    opened = production.lab.events()[0]["data"]
    assert opened["policy"][0]["approvals"] == {"production": 2}
    production.refused("--var", "most=6", says="other values of the variables")
    production.path.write_text(production.path.read_text() + "\n")
    production.refused(says="another version of the file")


def test_what_cannot_be_approved_writes_nothing(tmp_path: Path, url: str) -> None:
    production = Production(tmp_path, url)
    stranger = approving(production.path, production.office.key("eve"))
    assert "whose key" in str(stranger.exception)
    liar = approving(production.path, production.office.key("eve"), "--as", "ben@example.com")
    assert "may not approve as ben@example.com" in str(liar.exception)
    late = approving(production.path, production.office.key("ana"), "--for", "169h")
    assert late.exit_code == 2
    assert "168h" in late.output
    (tmp_path / "gameday.toml").write_text(POLICY.partition("approvals")[0])
    nothing = approving(production.path, production.office.key("ana"))
    assert "no policy asks for approvals" in str(nothing.exception)
    assert not list(tmp_path.glob("*.approvals"))


def test_an_approval_tells_who_and_how_many_are_missing(tmp_path: Path, url: str) -> None:
    production = Production(tmp_path, url)
    done = approving(production.path, production.office.key("ben"), "--format", "json")
    told = json.loads(done.stdout)
    assert told["by"] == "ben@example.com"
    assert [(one["needed"], one["people"]) for one in told["demands"]] == [(2, ["ben@example.com"])]
    assert "one touches" in done.stderr
