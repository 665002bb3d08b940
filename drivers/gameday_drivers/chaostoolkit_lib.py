"""The one place where a fault or a gauge of ours meets chaoslib: check an activity, carry it out, compare what it answers.

As a program (``python -m gameday_drivers.chaostoolkit_lib``) it carries out the one activity that its environment holds, as JSON in
GAMEDAY_ACTIVITY: ``{"activity", "configuration", "secrets"}``, and prints ``{"output": …}`` or ``{"error": …}`` on standard output.
chaoslib takes a tenth of a second to import, and an extension up to a whole one: it is imported when it is used.
"""

# pyright: reportMissingTypeStubs=false, reportArgumentType=false, reportUnnecessaryIsInstance=false
# chaoslib has annotations, but they are neither published nor true

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from typing import Any

from gameday.spi import DriverError
from gameday_drivers.chaostoolkit_call import NAMESPACE

VARIABLE = "GAMEDAY_ACTIVITY"


def check(activity: Mapping[str, Any]) -> None:
    """Import what an activity calls and compare its arguments; raise DriverError when it could never be carried out."""
    _be_quiet()
    from chaoslib.activity import ensure_activity_is_valid  # noqa: PLC0415 - heavy
    from chaoslib.exceptions import ChaosException  # noqa: PLC0415 - heavy

    provider = activity["provider"]
    try:
        ensure_activity_is_valid(activity)
    except ChaosException as error:
        hint = ""
        if "could not find Python module" in str(error):
            hint = f"install the extension that has {provider['module']} next to gameday, or correct its name"
        raise DriverError(str(error), hint=hint) from None
    except TypeError as error:
        raise DriverError(f"{provider.get('module')}.{provider.get('func')}: {error}") from None


def perform(activity: Mapping[str, Any], configuration: Mapping[str, Any], secrets: Mapping[str, Any]) -> Any:
    """Carry out one activity as Chaos Toolkit does and return its output; raise DriverError when it fails.

    Its time-out is the caller's: a Python function is never ended by Chaos Toolkit itself.
    """
    _be_quiet()
    from chaoslib.activity import execute_activity  # noqa: PLC0415 - heavy

    done: Mapping[str, Any] = execute_activity({}, activity, dict(configuration), {NAMESPACE: dict(secrets)}, None)
    if done.get("status") != "succeeded":
        said = [str(line).strip() for line in done.get("exception") or ["no reason given"]]
        raise DriverError(said[-1].removeprefix("chaoslib.exceptions.ActivityFailed: "))
    return done["output"]


def within(tolerance: Any, value: Any, configuration: Mapping[str, Any], secrets: Mapping[str, Any]) -> bool:
    """Say whether an output is as the tolerance wants it; raise DriverError when nobody can say."""
    _be_quiet()
    from chaoslib.exceptions import ChaosException  # noqa: PLC0415 - heavy
    from chaoslib.hypothesis import within_tolerance  # noqa: PLC0415 - heavy

    try:
        found = within_tolerance(
            tolerance, value, configuration=dict(configuration), secrets={NAMESPACE: dict(secrets)}
        )
    except (ChaosException, ArithmeticError, TypeError, ValueError, AttributeError) as error:
        raise DriverError(
            f"{value!r:.100} cannot be compared with the tolerance: {type(error).__name__}: {error}"
        ) from None
    if not isinstance(found, bool):
        raise DriverError(f"Chaos Toolkit cannot compare {value!r:.100} with the tolerance {tolerance!r:.100}")
    return found


def valid_experiment(path: str) -> Mapping[str, Any]:
    """Read a whole experiment and validate it as Chaos Toolkit does; raise DriverError with what is wrong."""
    _be_quiet()
    from chaoslib.exceptions import ChaosException  # noqa: PLC0415 - heavy
    from chaoslib.experiment import ensure_experiment_is_valid  # noqa: PLC0415 - heavy
    from chaoslib.loader import parse_experiment_from_file  # noqa: PLC0415 - heavy

    try:
        experiment: Mapping[str, Any] = parse_experiment_from_file(path)
        ensure_experiment_is_valid(experiment)
    except ChaosException as error:
        raise DriverError(str(error)) from None
    except (ValueError, TypeError, AttributeError, OSError) as error:
        raise DriverError(f"it is no Chaos Toolkit experiment: {type(error).__name__}: {error}") from None
    return experiment


def _be_quiet() -> None:
    """Keep chaoslib's log, which may hold what no log of ours may, off standard error; what fails is raised all the same."""
    logger = logging.getLogger("chaostoolkit")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.propagate = False


def main() -> None:
    """Carry out the activity in the environment; what it prints itself goes to standard error."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    asked = json.loads(os.environ.pop(VARIABLE))
    try:
        said = {"output": perform(asked["activity"], asked["configuration"], asked["secrets"])}
    except DriverError as error:
        said = {"error": str(error)}
    except Exception as error:  # noqa: BLE001 - a stranger's function may raise anything
        said = {"error": f"{type(error).__name__}: {error}"}
    answer.write(json.dumps(said, default=str))
    answer.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
