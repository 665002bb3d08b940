"""What Locust is told on its command line: the file's wishes, nothing twice, and never a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gameday.load.arguments import check_arguments, locust_arguments
from gameday.load.preflight import load_config
from gameday.schema.experiment import LoadProfile
from gameday.spi.errors import LoadError
from gameday.spi.world import Secrets


def config(folder: Path, secrets: dict[str, str] | None = None, **load: Any) -> dict[str, Any]:
    (folder / "lf.py").touch()
    document = {"target": "http://shop", "locustfile": "lf.py", "timeout": "2s", **load}
    return load_config(LoadProfile.model_validate(document), Secrets(values=secrets or {}), base=folder)


def test_everything_of_the_file_is_an_argument(tmp_path: Path) -> None:
    found = config(tmp_path, users=5, tags=["a", "b"], exclude_tags=["c"], classes=["Shopper"], args=["--x", "1"])
    assert locust_arguments(found, users=5, spawn_rate=10, port=0) == [
        "locust", "Shopper", "-f", str(tmp_path / "lf.py"), "--headless", "--only-summary", "--exit-code-on-error", "0",
        "--stop-timeout", "2", "--host", "http://shop", "--users", "5", "--spawn-rate", "10",
        "--tags", "a", "b", "--exclude-tags", "c", "--x", "1",
    ]  # fmt: skip


def test_processes_meet_on_a_port_of_loopback_and_workers_where_the_file_says(tmp_path: Path) -> None:
    own = locust_arguments(config(tmp_path, users=5, processes=3), users=5, spawn_rate=1, port=4321)
    assert own[own.index("--processes") + 1] == "3"
    assert own[own.index("--master-bind-host") + 1] == "127.0.0.1"
    asked = config(tmp_path, users=5, workers={"expect": 2, "port": 6000})
    theirs = locust_arguments(asked, users=5, spawn_rate=1, port=4321)
    assert theirs[theirs.index("--master-bind-port") + 1] == "6000"
    assert theirs[theirs.index("--master-bind-host") + 1] == "127.0.0.1"
    assert theirs[theirs.index("--expect-workers") + 1] == "2"


@pytest.mark.parametrize("arg", ["--users", "-u", "--run-time=5s", "--worker", "--config", "--headful", "-f"])
def test_what_the_file_decides_is_no_argument(arg: str) -> None:
    with pytest.raises(LoadError, match=r"load\.args may not have") as caught:
        check_arguments([arg])
    assert caught.value.hint.startswith("write ")


def test_a_secret_is_an_environment_variable_and_no_argument(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="would hold a secret") as caught:
        config(tmp_path, {"token": "s3cr3t"}, users=1, args=["--token=${token}"])
    assert "load.env" in caught.value.hint
    found = config(tmp_path, {"token": "s3cr3t"}, users=1, env={"TOKEN": "Bearer ${token}"})
    assert found["locust"]["env"] == {"TOKEN": "Bearer s3cr3t"}
    assert found["locust"]["hidden"] == ["s3cr3t"]
    assert "s3cr3t" not in " ".join(locust_arguments(found, users=1, spawn_rate=1, port=0))


@pytest.mark.parametrize(
    ("load", "says"),
    [
        ({"locustfile": "absent.py", "users": 1}, "there is no locustfile"),
        ({"locustfile": ".", "users": 1}, "there is no locustfile"),
        ({"rate": "1/s", "workers": {"expect": 1}}, "workers drive users, not a rate"),
        ({"users": 1, "workers": {"expect": 1}, "headers": {"A": "b"}}, "cannot be handed to workers"),
    ],
)
def test_what_cannot_be_is_said_before_anything_starts(tmp_path: Path, load: dict[str, Any], says: str) -> None:
    with pytest.raises(LoadError, match=says):
        config(tmp_path, **load)
