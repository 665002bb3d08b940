"""Faults against their drivers: the driver exists, accepts its parameters, and can be undone as the file says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gameday.schema.document import Document
from gameday.schema.errors import DriverCheck, ParameterError, UnknownDriverError
from gameday.schema.nodes import Entries, Node, as_mapping, find, locate
from gameday.spi.driver import Driver
from gameday.spi.errors import GamedayError


def check_fault(document: Document, root: Node, index: int, raw: Mapping[str, Any], drivers: DriverCheck) -> bool:
    """Note what is wrong between one fault and its driver; return whether its times were checked, too."""
    name = raw.get("do")
    if not isinstance(name, str) or not isinstance(raw.get("with", {}), dict):
        return False
    try:
        driver = drivers(name, as_mapping(raw.get("with")))
    except UnknownDriverError as error:
        document.add(locate(root, ("faults", index, "do")), "unknown-driver", str(error), error.hint)
        return False
    except ParameterError as error:
        _parameter(document, root, index, error)
        return False
    except GamedayError as error:
        document.add(locate(root, ("faults", index, "do")), "driver", str(error), error.hint)
        return False
    _times(document, root, index, raw, driver)
    return True


def _parameter(document: Document, root: Node, index: int, error: ParameterError) -> None:
    path = ("faults", index, "with", error.parameter) if error.parameter else ("faults", index, "with")
    if find(root, path[:3]) is None:
        path = ("faults", index, "do")
    code = {"unknown": "unknown-key", "missing": "missing-key", "value": "bad-value"}[error.kind]
    document.add(locate(root, path, key=error.kind == "unknown"), code, str(error), error.hint)


def _times(document: Document, root: Node, index: int, raw: Mapping[str, Any], driver: Driver) -> None:
    """Check that a reversible fault has ``for``, and that any other is allowed to stay and has ``observe``."""
    fault = find(root, ("faults", index))
    if not isinstance(fault, Entries):
        return
    reversible = driver.reversible
    wanted = ("for",) if reversible else ("irreversible", "observe")
    unwanted = ("observe", "irreversible") if reversible else ("for",)
    kind = "can be undone" if reversible else "cannot be undone"
    hint = "for: 30s" if reversible else "irreversible: allow, observe: 20s"
    extra = [key for key in unwanted if raw.get(key) is not None]
    lacking = [key for key in wanted if raw.get(key) is None]
    if extra or lacking:
        what = " and ".join([f"needs {key!r}" for key in lacking] + [f"cannot have {key!r}" for key in extra])
        span = locate(root, ("faults", index, extra[0] if extra else "do"), key=True)
        document.add(span, "reversible", f"{driver.name} {kind}: this fault {what}", f"write {hint}")
