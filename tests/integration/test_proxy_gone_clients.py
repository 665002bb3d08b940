"""Clients that give up on a slow dependency leave half-ended connections behind; a revert that meets them must still be answered."""

from __future__ import annotations

import time

from tests.fakes.proxying import dependency, proxy_process, talks


def test_a_latency_is_reverted_while_clients_have_given_up() -> None:
    """A held reply that reaches a closed client resets the connection; then its held end comes to a socket that is no more."""
    with dependency() as upstream, proxy_process(upstream) as proxy:
        latency = {"name": "slow", "type": "latency", "attributes": {"latency": 400}}
        assert proxy.call("POST", "/proxies/payments/toxics", latency)[0] == 200
        end = time.monotonic() + 1.0
        while time.monotonic() < end:  # at any time some have their reply behind them and their end before them
            client = proxy.connect()
            client.sendall(b"hello")
            time.sleep(0.02)
            client.close()
        assert proxy.call("DELETE", "/proxies/payments/toxics/slow")[0] == 204
        assert talks(proxy.connect())
