from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from gameday.model import Plan
from gameday.spi import Driver, DriverError, World
from gameday.testing import DriverContract, eventually
from gameday_drivers.proxy_down import ProxyDown
from tests.fakes.proxying import TOKEN, ProxyProcess, dependency, proxy_process


class TestProxyDown(DriverContract):
    @pytest.fixture
    def proxy(self) -> Iterator[ProxyProcess]:
        with dependency() as upstream, proxy_process(upstream, token=TOKEN) as proxy:
            yield proxy

    @pytest.fixture
    def world(self, proxy: ProxyProcess) -> World:
        return proxy.world()

    @pytest.fixture
    def driver(self) -> Driver:
        return ProxyDown(proxy="payments")
