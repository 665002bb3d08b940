"""The laws of a probe, as a test class to inherit: it is proven on a real source, working, silent and wrong.

::

    class TestQueueDepth(ProbeContract):
        @pytest.fixture
        def source(self) -> Iterator[Source]:
            with something_real() as target:
                yield Source(
                    probe=QueueDepth(value=target.url, timeout_=500),
                    expected=lambda: target.depth,
                    change=lambda: target.push(3),
                    silence=target.hang,
                    spoil=target.answer_rubbish,
                )
"""

# ruff: noqa: S101 - an assertion is what a test states

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from importlib.metadata import entry_points
from typing import Any, cast

import pytest

from gameday.spi import Probe, ProbeError, World

SLACK_SECONDS = 1.0
"""How much later than its own time-out a read may return, on a busy machine."""
AT_ONCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A probe, aimed at something real, and what can be done to that."""

    probe: Probe
    expected: Callable[[], float]
    """What the probe must read now, known in another way."""
    change: Callable[[], None]
    """Make the number another one."""
    silence: Callable[[], None]
    """Let the source accept whoever asks, and never answer."""
    spoil: Callable[[], None]
    """Let the source answer something that is not the number."""


class ProbeContract:
    """The laws of a probe."""

    tolerance = 0.0
    """How far a reading may be from ``expected``: for a number that changes by itself."""

    def near(self, expected: float) -> object:
        """Equal but for ``tolerance``, and for what a float cannot hold."""
        return pytest.approx(expected, rel=1e-9, abs=self.tolerance)  # pyright: ignore[reportUnknownMemberType] - pytest's own

    @pytest.fixture
    def source(self) -> Iterator[Source]:
        """Yield the probe and its source, which this fixture starts and ends; a short time-out makes it quick."""
        raise NotImplementedError

    @pytest.fixture
    def world(self) -> World:
        """Give the run it lives in; override it when the probe needs ``system:`` or secrets."""
        return World(run_id="contract")

    def test_it_reads_what_is_there(self, source: Source, world: World) -> None:
        """One number, the right one, and a finite one."""
        found = source.probe.read(world)
        assert isinstance(found, (int, float))
        assert math.isfinite(found)
        assert found == self.near(source.expected())

    def test_it_measures_each_time(self, source: Source, world: World) -> None:
        """Nothing is kept from one read to the next."""
        before = source.probe.read(world)
        source.change()
        after = source.probe.read(world)
        assert after == self.near(source.expected())
        assert after != before, "change() must make the number another one"

    def test_reading_changes_nothing(self, source: Source, world: World) -> None:
        """A probe looks; it is no fault."""
        assert [source.probe.read(world) for _ in range(3)] == [self.near(source.expected())] * 3

    def test_a_silent_source_is_missing_and_in_time(self, source: Source, world: World) -> None:
        """It gives up within its own time-out, and the sample is missing: never zero, never the last one again."""
        source.silence()
        start = time.monotonic()
        with pytest.raises(ProbeError):
            source.probe.read(world)
        assert time.monotonic() - start < source.probe.timeout + SLACK_SECONDS

    def test_a_source_without_the_number_is_missing(self, source: Source, world: World) -> None:
        """What is not the number is no reading."""
        source.spoil()
        with pytest.raises(ProbeError) as raised:
            source.probe.read(world)
        assert str(raised.value).strip()
        assert str(raised.value).isprintable()

    def test_it_can_be_read_from_threads(self, source: Source, world: World) -> None:
        """The runner reads in worker threads, and one that hangs may still be there when the next one reads."""
        found: list[float] = []
        threads = [threading.Thread(target=lambda: found.append(source.probe.read(world))) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(source.probe.timeout + SLACK_SECONDS)
        assert found == [self.near(source.expected())] * AT_ONCE

    def test_it_is_registered_under_its_kind(self, source: Source) -> None:
        """Experiments find it by the entry point ``gameday.probes``."""
        found = entry_points(group="gameday.probes", name=source.probe.name)
        kind = source.probe.name
        assert [point.load() for point in found] == [type(source.probe)], f"no entry point, or several: {kind!r}"

    def test_its_parameters_are_explained(self, source: Source) -> None:
        """`gameday list` prints them; one is called value."""
        declared = {field.name: field for field in fields(cast("Any", source.probe))}
        assert "value" in declared
        assert all(str(field.metadata.get("help", "")).strip() for field in declared.values())
