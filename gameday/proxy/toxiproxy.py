"""The Toxiproxy HTTP API: its routes, its names, its words.

Replies are as a real Toxiproxy gives them, so that its clients work unchanged; where it would hang or take nonsense, ours does not.
"""

from __future__ import annotations

from typing import Any

from gameday.proxy.attributes import LONGEST_MS, Attributes, fraction, milliseconds, read_attributes
from gameday.proxy.errors import RefusedError
from gameday.proxy.httpkinds import HTTP_KINDS
from gameday.proxy.kinds import BYTE_KINDS
from gameday.proxy.proxies import Proxies, checked_name
from gameday.proxy.proxy import API_HOLDER, Proxy
from gameday.proxy.spec import ProxySpec, read_spec
from gameday.proxy.tls import TlsCertificate
from gameday.proxy.toxics import STREAMS, Toxic
from gameday.proxy.wire import Reply, Request

_TOXIC_LIMIT = 64
_DONE = Reply(status=204)
_KINDS: tuple[type[Attributes], ...] = (*BYTE_KINDS, *HTTP_KINDS, TlsCertificate)
KINDS = {kind.TYPE: kind for kind in _KINDS}


def version(_proxies: Proxies, _request: Request) -> Reply:
    """Answer what a Toxiproxy that was built from its repository says."""
    return Reply(text='{"version": "git"}\n', content_type="application/json;charset=utf-8")


def list_proxies(proxies: Proxies, _request: Request) -> Reply:
    """All proxies by name."""
    return Reply(content={name: proxy.to_json() for name, proxy in sorted(proxies.named.items())})


def create_proxy(proxies: Proxies, request: Request) -> Reply:
    """Add a proxy and listen; port 0 is answered resolved."""
    spec = _spec(request.fields())
    for name in ("name", "upstream"):
        if not getattr(spec, name):
            raise RefusedError(400, f"missing required field: {name}")
    return Reply(status=201, content=proxies.create(spec).to_json())


def populate(proxies: Proxies, request: Request) -> Reply:
    """Add proxies, or replace those that lead elsewhere; nothing is changed unless all of them can be read."""
    try:
        done = [proxies.replace(spec) for spec in _specs(proxies, request)]
    except RefusedError as error:
        return Reply(status=error.status, content={"error": error.message, "status": error.status, "proxies": None})
    return Reply(status=201, content={"proxies": [proxy.to_json() for proxy in done] or None})


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
    _enable(proxies, proxy, enabled=enabled)
    return Reply(content=proxy.to_json())


def delete_proxy(proxies: Proxies, request: Request) -> Reply:
    """Take a proxy away."""
    proxies.delete(request.args[0])
    return _DONE


def list_toxics(proxies: Proxies, request: Request) -> Reply:
    """All toxics of a proxy."""
    return Reply(content=[toxic.to_json() for toxic in proxies.find(request.args[0]).ordered_toxics()])


def create_toxic(proxies: Proxies, request: Request) -> Reply:
    """Set a toxic, by default downstream and on every connection.

    Ours beside Toxiproxy's: ``lease_ms``, after which it is off unless renewed, together with those of the same ``fault``, and
    ``seed`` for the random numbers of this toxic.
    """
    proxy = proxies.find(request.args[0])
    fields = request.fields()
    stream = "downstream" if fields.get("stream") is None else fields["stream"]
    if not isinstance(stream, str) or stream.lower() not in STREAMS:
        raise RefusedError(400, "stream was invalid, can be either upstream or downstream")
    kind = KINDS.get(fields["type"]) if isinstance(fields.get("type"), str) else None
    if kind is None:
        raise RefusedError(400, "invalid toxic type")
    name = checked_name(fields.get("name") or f"{kind.TYPE}_{stream}")
    if name in proxy.toxics:
        raise RefusedError(409, "toxic already exists")
    if len(proxy.toxics) >= _TOXIC_LIMIT:
        raise RefusedError(400, f"more than {_TOXIC_LIMIT} toxics")
    if kind is TlsCertificate and proxy.tls is None:
        raise RefusedError(400, "this proxy does not terminate TLS")
    attributes = read_attributes(kind(), fields.get("attributes"))
    seed, fault = _seed(proxies, proxy, name, fields), fields.get("fault") or ""
    toxic = Toxic(name, stream, attributes, _toxicity(fields, 1.0), seed=seed, fault=str(fault))
    proxy.add_toxic(toxic, lease_of(fields))
    proxies.log.event("toxic", proxy=proxy.name, **toxic.to_json())
    return Reply(content=toxic.to_json())


def show_toxic(proxies: Proxies, request: Request) -> Reply:
    """One toxic."""
    return Reply(content=_find_toxic(proxies, request)[1].to_json())


def update_toxic(proxies: Proxies, request: Request) -> Reply:
    """Change a toxic's attributes; what is not given stays."""
    proxy, toxic = _find_toxic(proxies, request)
    fields = request.fields()
    kind = read_attributes(toxic.kind, fields.get("attributes"))
    toxicity, lease = _toxicity(fields, toxic.toxicity), lease_of(fields)
    proxy.change_toxic(toxic.name, kind, toxicity)
    if lease is not None:
        proxy.renew("toxic", toxic.name, lease)
    proxies.log.event("toxic", proxy=proxy.name, **toxic.to_json())
    return Reply(content=toxic.to_json())


def delete_toxic(proxies: Proxies, request: Request) -> Reply:
    """Take a toxic off; never waits. After the run it is gone already, and taking it off succeeds."""
    proxy = proxies.find(request.args[0])
    if proxy.remove_toxic(request.args[1]):
        proxies.log.event("untoxic", proxy=proxy.name, name=request.args[1])
    elif not proxies.over.is_set():
        raise RefusedError(404, "toxic not found")
    return _DONE


def reset(proxies: Proxies, _request: Request) -> Reply:
    """Enable all proxies and take all toxics off."""
    proxies.heal()
    proxies.log.event("reset")
    return _DONE


def lease_of(fields: dict[str, Any]) -> int | None:
    """Read ``lease_ms``; raises RefusedError."""
    if fields.get("lease_ms") is None:
        return None
    try:
        lease = milliseconds(fields["lease_ms"])
    except ValueError as error:
        raise RefusedError(400, f"bad request body: lease_ms {error}") from error
    if not lease:
        raise RefusedError(400, f"bad request body: lease_ms is from 1 to {LONGEST_MS}")
    return lease


def _specs(proxies: Proxies, request: Request) -> list[ProxySpec]:
    specs = [_spec(fields) for fields in request.objects()]
    for number, spec in enumerate(specs, 1):
        for name in ("name", "upstream"):
            if not getattr(spec, name):
                raise RefusedError(400, f"missing required field: {name} at proxy {number}")
        checked_name(spec.name)
        proxies.addresses(spec.listen, spec.upstream)
    names = [spec.name for spec in specs]
    for name in names:
        if names.count(name) > 1:
            raise RefusedError(500, f'duplicate proxy name "{name}"')
    return specs


def _spec(fields: dict[str, Any]) -> ProxySpec:
    try:
        return read_spec(fields, strict=False)
    except ValueError as error:
        raise RefusedError(400, f"bad request body: {error}") from error


def _find_toxic(proxies: Proxies, request: Request) -> tuple[Proxy, Toxic]:
    proxy = proxies.find(request.args[0])
    try:
        return proxy, proxy.toxics[request.args[1]]
    except KeyError:
        raise RefusedError(404, "toxic not found") from None


def _enable(proxies: Proxies, proxy: Proxy, *, enabled: bool | None) -> None:
    """Let every holder go when enabling: for a Toxiproxy client there is only one switch."""
    if enabled is False:
        proxy.hold_down(API_HOLDER)
        proxies.log.event("disabled", proxy=proxy.name)
    elif enabled and proxy.holders:
        for holder in list(proxy.holders):
            proxy.release(holder)
        proxies.log.event("enabled", proxy=proxy.name)


def _seed(proxies: Proxies, proxy: Proxy, name: str, fields: dict[str, Any]) -> str:
    """Give a toxic a seed of its own: what it draws must not depend on what else is set."""
    own = fields.get("seed")
    if own is not None and (isinstance(own, bool) or not isinstance(own, int)):
        raise RefusedError(400, "bad request body: seed is a whole number")
    if own is None and proxies.seed is None:
        return ""
    return f"{own}" if own is not None else f"{proxies.seed}/{proxy.name}/{name}"


def _toxicity(fields: dict[str, Any], now: float) -> float:
    try:
        return now if fields.get("toxicity") is None else fraction(fields["toxicity"])
    except ValueError as error:
        raise RefusedError(400, f"bad request body: toxicity {error}") from error


def _flag(fields: dict[str, Any], name: str) -> bool | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise RefusedError(400, f"bad request body: {name} is true or false")
    return value
