"""All that can be wrong with a load and be known before anything starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gameday.load.arguments import check_arguments
from gameday.load.config import profile_config
from gameday.load.limits import check_open_files
from gameday.load.wire import compile_requests
from gameday.schema.experiment import LoadProfile
from gameday.spi.errors import DriverError, LoadError
from gameday.spi.world import Secrets


def load_config(
    profile: LoadProfile,
    secrets: Secrets,
    *,
    data: Mapping[str, Sequence[Any]] | None = None,
    base: Path | None = None,
) -> dict[str, Any]:
    """Return the child's configuration after all that can be checked has been; raise LoadError with what is wrong."""
    check_open_files(profile)
    check_arguments(profile.args)
    try:
        config = profile_config(profile, secrets.reveal, data or {})
    except DriverError as error:
        raise LoadError(str(error), hint=error.hint) from error
    try:
        compile_requests(config)
    except ValueError as error:
        raise LoadError(f"the load cannot be sent: {error}") from error
    if profile.locustfile is not None:
        config["locust"]["file"] = str(_locustfile(profile, base or Path.cwd()))
    return config


def _locustfile(profile: LoadProfile, base: Path) -> Path:
    """Return the whole path of the locustfile; raise LoadError when it is not there, or cannot be used as the file asks for."""
    path = (base / (profile.locustfile or "")).resolve()
    if not path.is_file() or path.suffix != ".py":
        raise LoadError(f"there is no locustfile {path}", hint="its path counts from the folder of the experiment file")
    if profile.workers is not None and profile.open_model:
        raise LoadError("workers drive users, not a rate", hint="write users, or rate with processes")
    if profile.workers is not None and profile.headers:
        raise LoadError("load.headers cannot be handed to workers", hint="set them in the locustfile")
    return path
