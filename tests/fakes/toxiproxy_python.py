"""Drive the server at argv[1] with the package toxiproxy-python, unchanged; print what it got as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

toxiproxy: Any = import_module("toxiproxy")  # it has no types
errors: Any = import_module("toxiproxy.exceptions")

KINDS = {
    "latency": {"latency": 10, "jitter": 2},
    "bandwidth": {"rate": 1000},
    "slow_close": {"delay": 10},
    "timeout": {"timeout": 60_000},
    "reset_peer": {"timeout": 60_000},
    "slicer": {"average_size": 64, "size_variation": 32, "delay": 10},
    "limit_data": {"bytes": 100_000},
}


def main() -> None:
    host, _, port = sys.argv[1].rpartition("/")[2].rpartition(":")
    upstream = sys.argv[2]
    server: Any = toxiproxy.Toxiproxy()
    server.update_api_consumer(host, int(port))
    seen: dict[str, object] = {"version": server.version().decode()}
    proxy = server.create(upstream=upstream, name="python")
    seen["created"] = [proxy.name, proxy.upstream, proxy.enabled]
    attempts: dict[str, Callable[[], object]] = {
        "exists": lambda: server.create(upstream=upstream, name="python"),
        "invalid": lambda: proxy.add_toxic(type="nonsense"),
        "absent": lambda: proxy.destroy_toxic("absent"),
    }
    for what, act in attempts.items():
        try:
            act()
        except (errors.ProxyExists, errors.InvalidToxic, errors.NotFound) as error:
            seen[what] = type(error).__name__
    for kind, attributes in KINDS.items():
        proxy.add_toxic(type=kind, attributes=attributes)
    seen["toxics"] = {toxic.type: [toxic.stream, toxic.toxicity, toxic.attributes] for toxic in proxy.toxics().values()}
    seen["destroyed"] = proxy.destroy_toxic("latency_downstream")
    with proxy.down():
        seen["down"] = server.get_proxy("python").enabled
    seen["up"] = server.get_proxy("python").enabled
    seen["reset"] = [server.reset(), len(proxy.toxics())]
    populated = server.populate([{"name": "p1", "upstream": upstream, "listen": "127.0.0.1:0"}])
    seen["populated"] = [one.name for one in populated]
    seen["all"] = sorted(server.proxies())
    server.destroy_all()
    seen["left"] = sorted(server.proxies())
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main()
