"""The part of the Toxiproxy HTTP API that exists here so far: proxies, and toxics of type ``latency``.

Replies are as a real Toxiproxy gives them, so that its clients work unchanged; where it would hang or take nonsense, ours does not.
"""

from __future__ import annotations

from typing import Any, cast

from gameday.proxy.faults import STREAMS, Latency, Toxic
from gameday.proxy.proxies import Proxies, RefusedError, checked_name
from gameday.proxy.proxy import API_HOLDER, Proxy
from gameday.proxy.wire import Reply, Request

_TOXIC_LIMIT = 64
_LONGEST_MS = 24 * 3600 * 1000
_DONE = Reply(status=204)


def version(_proxies: Proxies, _request: Request) -> Reply:
    """Answer what a Toxiproxy that was built from its repository says."""
    return Reply(content={"version": "git"})


def list_proxies(proxies: Proxies, _request: Request) -> Reply:
    """All proxies by name."""
    return Reply(content={name: proxy.to_json() for name, proxy in proxies.named.items()})


def create_proxy(proxies: Proxies, request: Request) -> Reply:
    """Add a proxy and listen; port 0 is answered resolved."""
    fields = request.fields()
    for name in ("name", "upstream"):
        if not fields.get(name):
            raise RefusedError(400, f"missing required field: {name}")
    enabled = _flag(fields, "enabled")
    proxy = proxies.create(fields["name"], fields.get("listen", ""), fields["upstream"])
    _enable(proxy, enabled=enabled)
    return Reply(status=201, content=proxy.to_json())


def show_proxy(proxies: Proxies, request: Request) -> Reply:
    """One proxy."""
    return Reply(content=proxies.find(request.args[0]).to_json())


def update_proxy(proxies: Proxies, request: Request) -> Reply:
    """Change addresses or enable and disable; what is not given stays. After the run only enabling is left."""
    proxy = proxies.find(request.args[0])
    fields = request.fields()
    enabled = _flag(fields, "enabled")
    listen, upstream = fields.get("listen", str(proxy.listen)), fields.get("upstream", str(proxy.upstream))
    if proxies.over.is_set() and (
        enabled is False or proxies.addresses(listen, upstream) != (proxy.listen, proxy.upstream)
    ):
        raise RefusedError(409, "run is over")
    proxies.move(proxy, listen, upstream)
    _enable(proxy, enabled=enabled)
    return Reply(content=proxy.to_json())


def delete_proxy(proxies: Proxies, request: Request) -> Reply:
    """Take a proxy away."""
    proxies.delete(request.args[0])
    return _DONE


def list_toxics(proxies: Proxies, request: Request) -> Reply:
    """All toxics of a proxy."""
    return Reply(content=[toxic.to_json() for toxic in proxies.find(request.args[0]).ordered_toxics()])


def create_toxic(proxies: Proxies, request: Request) -> Reply:
    """Set a toxic, by default downstream and on every connection."""
    proxy = proxies.find(request.args[0])
    fields = request.fields()
    stream = fields.get("stream") or "downstream"
    if stream not in STREAMS:
        raise RefusedError(400, "stream was invalid, can be either upstream or downstream")
    if fields.get("type") != "latency":
        raise RefusedError(400, "invalid toxic type")
    name = checked_name(fields.get("name") or f"latency_{stream}")
    if name in proxy.toxics:
        raise RefusedError(409, "toxic already exists")
    if len(proxy.toxics) >= _TOXIC_LIMIT:
        raise RefusedError(400, f"more than {_TOXIC_LIMIT} toxics")
    toxic = Toxic(name, stream, _latency(fields, Latency(latency=0)))
    proxy.add_toxic(toxic)
    return Reply(content=toxic.to_json())


def show_toxic(proxies: Proxies, request: Request) -> Reply:
    """One toxic."""
    return Reply(content=_find_toxic(proxies, request)[1].to_json())


def update_toxic(proxies: Proxies, request: Request) -> Reply:
    """Change a toxic's attributes; what is not given stays."""
    proxy, toxic = _find_toxic(proxies, request)
    proxy.change_toxic(toxic.name, _latency(request.fields(), toxic.latency))
    return Reply(content=toxic.to_json())


def delete_toxic(proxies: Proxies, request: Request) -> Reply:
    """Take a toxic off; never waits. After the run it is gone already, and taking it off succeeds."""
    if not proxies.find(request.args[0]).remove_toxic(request.args[1]) and not proxies.over.is_set():
        raise RefusedError(404, "toxic not found")
    return _DONE


def reset(proxies: Proxies, _request: Request) -> Reply:
    """Enable all proxies and take all toxics off."""
    proxies.heal()
    return _DONE


def _find_toxic(proxies: Proxies, request: Request) -> tuple[Proxy, Toxic]:
    proxy = proxies.find(request.args[0])
    try:
        return proxy, proxy.toxics[request.args[1]]
    except KeyError:
        raise RefusedError(404, "toxic not found") from None


def _enable(proxy: Proxy, *, enabled: bool | None) -> None:
    """Let every holder go when enabling: for a Toxiproxy client there is only one switch."""
    if enabled is False:
        proxy.hold_down(API_HOLDER)
    elif enabled:
        for holder in list(proxy.holders):
            proxy.release(holder)


def _latency(fields: dict[str, Any], now: Latency) -> Latency:
    given: object = fields.get("attributes") or {}
    if not isinstance(given, dict):
        raise RefusedError(400, "bad request body: attributes is not an object")
    attributes = cast("dict[str, Any]", given)
    return Latency(
        latency=_milliseconds(attributes, "latency", now.latency),
        jitter=_milliseconds(attributes, "jitter", now.jitter),
        toxicity=_share(fields.get("toxicity", now.toxicity)),
    )


def _milliseconds(attributes: dict[str, Any], name: str, default: int) -> int:
    value = attributes.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LONGEST_MS:
        raise RefusedError(400, f"bad request body: {name} is a whole number of milliseconds, at most a day")
    return value


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise RefusedError(400, "bad request body: toxicity is a number from 0 to 1")
    return float(value)


def _flag(fields: dict[str, Any], name: str) -> bool | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise RefusedError(400, f"bad request body: {name} is true or false")
    return value
