"""What the author of a driver inherits: the laws every driver keeps, proven on the real thing and never on a mock.

::

    class TestMyFault(DriverContract):
        @pytest.fixture
        def driver(self) -> Iterator[Driver]:
            with something_real() as target:
                yield MyFault(target=target)

A fault that cannot be undone inherits IrreversibleContract, a probe ProbeContract. It needs pytest.
"""

from __future__ import annotations

from gameday.testing.contract import DriverContract, IrreversibleContract
from gameday.testing.elsewhere import parameters
from gameday.testing.probes import ProbeContract, Source
from gameday.testing.waiting import eventually, stays

__all__ = ["DriverContract", "IrreversibleContract", "ProbeContract", "Source", "eventually", "parameters", "stays"]
