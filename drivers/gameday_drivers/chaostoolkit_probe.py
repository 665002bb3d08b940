"""A gauge from any probe of any Chaos Toolkit extension."""

from __future__ import annotations

import json as json_
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gameday.spi import DriverError, ProbeError, QueryError, World
from gameday.spi.probe import READ_MS, marks
from gameday_drivers.chaostoolkit_call import Call, mapping, printable, read_call, revealed
from gameday_drivers.chaostoolkit_lib import VARIABLE
from gameday_drivers.jsonpath import finite, parse_path, value_at
from gameday_drivers.numbers import read_number

_MOST = 1024 * 1024
"""Bytes of output after which the process is killed: what it answers is no gauge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosToolkitProbe:
    """Call a Chaos Toolkit probe and read the number that it returns (true is 1, false is 0), or the one at ``json`` in it."""

    value: Mapping[str, Any] = field(
        metadata={"help": "{module, func, arguments}, or {provider: {type, …}} as Chaos Toolkit writes it"}
    )
    json: str = field(default="", metadata={"help": "where in what it returns: $.data.count; default: all of it"})
    secrets: Mapping[str, Any] = field(default_factory=dict[str, Any], metadata={"help": "what it gets as secrets"})
    configuration: Mapping[str, Any] = field(
        default_factory=dict[str, Any], metadata={"help": "what it gets as configuration"}
    )
    timeout_: int = field(
        default=READ_MS, metadata={"unit": "duration", "min": 1, "help": "how long one read may take"}
    )

    name = "chaostoolkit"

    def __post_init__(self) -> None:
        self._call()
        if self.json:
            try:
                parse_path(self.json)
            except ValueError as error:
                raise ValueError(f"json is {error}") from None

    def _call(self) -> Call:
        return read_call("value", self.value, "probe")

    @property
    def timeout(self) -> float:
        """Seconds for the probe; then the process that calls it is killed with what it has started."""
        return self.timeout_ / 1000

    def read(self, world: World) -> float:
        """Return the number that the probe returns; it runs in a process of its own, which a deadline can end."""
        try:
            asked = {
                "activity": revealed(self._call().to_json(), world),
                "configuration": revealed(self.configuration, world),
                "secrets": revealed(self.secrets, world),
            }
            done = world.spawn(
                [sys.executable, "-m", "gameday_drivers.chaostoolkit_lib"],
                timeout=self.timeout,
                env={VARIABLE: json_.dumps(asked), **marks(world, self.name)},
                apart=True,
                most=_MOST,
            )
        except DriverError as error:
            raise ProbeError(world.secrets.mask(str(error))) from None
        try:
            answer: Any = json_.loads(done.output)
        except ValueError:
            said = done.errors.strip().rpartition("\n")[2]
            raise ProbeError(
                printable(world.secrets.mask(f"{self._call().shown} ended without an answer: {said}"))
            ) from None
        if "error" in answer:
            raise ProbeError(printable(world.secrets.mask(f"{self._call().shown}: {answer['error']}")))
        try:
            return self._number(answer["output"])
        except ValueError as error:
            raise QueryError(printable(world.secrets.mask(f"{self._call().shown}: {error}"))) from None

    def _number(self, output: object) -> float:
        """Read one number; raise ValueError that says what there is instead."""
        found: Any = value_at(output, parse_path(self.json)) if self.json else output
        if isinstance(found, bool):
            return float(found)
        if isinstance(found, (int, float)):
            return finite(found, "what it returns")
        if isinstance(found, str):
            return read_number(found.encode())
        members = mapping(found)
        named = f" with {', '.join(members)}" if members else ""
        hint = "; name the member by json: $.name" if members and not self.json else ""
        raise ValueError(f"it returns {type(found).__name__}{named}, not a number{hint}")
