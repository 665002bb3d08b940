"""What victims said last is kept with the run: bounded, masked, and never in the way of the deed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from gameday.spi import DriverError, Secrets, World
from gameday_drivers.kube import logs
from gameday_drivers.kube.api import Api
from gameday_drivers.kube.logs import MOST, keep_logs


class FakeApi:
    """Answers with a log, or fails."""

    def __init__(self, text: str = "hello", error: str = "") -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._text, self._error = text, error

    def text(self, path: str, query: dict[str, str]) -> str:
        self.asked.append((path, query))
        if self._error:
            raise DriverError(self._error)
        return self._text


def kept(api: FakeApi, folder: Path, containers: list[tuple[str, str]], **more: Any) -> dict[str, str]:
    world = World(run_id="r", fault="pods killed", folder=str(folder), secrets=Secrets(values={"p": "hunter2"}))
    keep_logs(cast("Api", api), world, "shop", containers, **more)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.log")}


def test_they_are_kept_by_fault_pod_and_container_with_secrets_masked(tmp_path: Path) -> None:
    api = FakeApi("password is hunter2")
    assert kept(api, tmp_path, [("web-1", "c")]) == {"victims/pods-killed/web-1.c.log": "password is ***"}
    path, query = api.asked[0]
    assert path == "/api/v1/namespaces/shop/pods/web-1/log"
    assert (query["container"], query["tailLines"]) == ("c", "500")
    assert "previous" not in query
    again = kept(api, tmp_path, [("web-1", "c")], previous=True)
    assert set(again) == {"victims/pods-killed/web-1.c.log", "victims/pods-killed/web-1.c.previous.log"}
    assert api.asked[1][1]["previous"] == "true"


def test_a_log_that_cannot_be_had_says_so_and_stops_nothing(tmp_path: Path) -> None:
    assert kept(FakeApi(error="403"), tmp_path, [("a", "c")]) == {"victims/pods-killed/a.c.log": "no logs: 403\n"}


def test_they_are_bounded_in_number_length_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [(f"web-{number}", "c") for number in range(3 * MOST)]
    found = kept(FakeApi("x" * 100_000), tmp_path, many)
    assert (len(found), {len(text) for text in found.values()}) == (MOST, {65_536})
    monkeypatch.setattr(logs, "KEEP_SECONDS", -1.0)
    assert kept(api := FakeApi(), tmp_path / "late", many) == {}
    assert api.asked == []


def test_a_name_that_would_leave_the_folder_does_not(tmp_path: Path) -> None:
    assert set(kept(FakeApi(), tmp_path, [("../../x", "/y")])) == {"victims/pods-killed/------x.-y.log"}


def test_outside_a_run_nothing_is_asked() -> None:
    api = FakeApi()
    keep_logs(cast("Api", api), World(run_id="r"), "shop", [("a", "c")])
    assert api.asked == []
