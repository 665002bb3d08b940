"""What Toxiproxy does not have: who holds a proxy down and for how long, what met a fault, whose proxy this is, and its end."""

from __future__ import annotations

from gameday.proxy.address import parse_address
from gameday.proxy.errors import RefusedError
from gameday.proxy.metrics import exposition
from gameday.proxy.proxies import Proxies, checked_name
from gameday.proxy.proxy import Proxy
from gameday.proxy.toxiproxy import lease_of
from gameday.proxy.wire import Reply, Request

_HOLDER_LIMIT = 64
_DONE = Reply(status=204)


def show_run(proxies: Proxies, _request: Request) -> Reply:
    """Whose this process is, and whether that run is over."""
    return Reply(content={"run": proxies.run, "over": proxies.over.is_set(), "connections": proxies.connections})


def show_metrics(proxies: Proxies, _request: Request) -> Reply:
    """Everything that is counted, for Prometheus."""
    return Reply(text=exposition(proxies), content_type="text/plain; version=0.0.4; charset=utf-8")


def show_account(proxies: Proxies, request: Request) -> Reply:
    """Answer what holds a proxy down or acts on it, and what met each."""
    return Reply(content=account(proxies.find(request.args[0])))


def hold_down(proxies: Proxies, request: Request) -> Reply:
    """Hold a proxy down under a name, with ``keep_open`` only for new connections.

    Under a name that holds it already, 409, because one release would undo both.
    """
    proxy = proxies.find(request.args[0])
    holder = checked_name(request.args[1])
    fields = request.fields() if request.body else {}
    lease, keep_open = lease_of(fields), fields.get("keep_open") or False
    if not isinstance(keep_open, bool):
        raise RefusedError(400, "bad request body: keep_open is true or false")
    if holder in proxy.holders:
        raise RefusedError(409, "already held down")
    if len(proxy.holders) >= _HOLDER_LIMIT:
        raise RefusedError(400, f"more than {_HOLDER_LIMIT} holders")
    proxy.hold_down(holder, lease, keep_open=keep_open)
    proxies.log.event("down", proxy=proxy.name, holder=holder)
    return Reply(content=account(proxy))


def release(proxies: Proxies, request: Request) -> Reply:
    """Let a proxy go; succeeds whether it was held or not."""
    proxy = proxies.find(request.args[0])
    proxy.release(request.args[1])
    proxies.log.event("released", proxy=proxy.name, holder=request.args[1])
    return _DONE


def renew(proxies: Proxies, request: Request) -> Reply:
    """Let a toxic, or a holder, last ``lease_ms`` from now; 404 when it is not there: a lease never makes a fault."""
    proxy, what = proxies.find(request.args[0]), request.args[1]
    lease = lease_of(request.fields())
    if lease is None:
        raise RefusedError(400, "missing required field: lease_ms")
    kind = {"toxics": "toxic", "down": "down"}.get(what)
    if kind is None or not proxy.renew(kind, request.args[2], lease):
        raise RefusedError(404, "not held down" if what == "down" else "toxic not found")
    return _DONE


def expect_probe(proxies: Proxies, request: Request) -> Reply:
    """Announce one connection, by the address it will come from, that only asks whether the port is up."""
    proxy = proxies.find(request.args[0])
    try:
        peer = parse_address(request.args[1])
    except ValueError as error:
        raise RefusedError(400, str(error)) from error
    proxy.expect_probe(str(peer))
    return Reply(content=account(proxy))


def forget_probe(proxies: Proxies, request: Request) -> Reply:
    """Take an announcement back, because its connection was refused; succeeds whether there is one or not."""
    proxies.find(request.args[0]).forget_probe(request.args[1])
    return _DONE


def end(proxies: Proxies, _request: Request) -> Reply:
    """Give the ports back at once and end when the open connections have: a successor can listen now."""
    proxies.end_run()
    proxies.stop_listening()
    proxies.ending.set()
    return Reply(status=202, content={"ending": True, "connections": proxies.connections})


def account(proxy: Proxy) -> dict[str, object]:
    """Return the counts of one proxy; ``down_met`` is that of the longest holder."""
    return {
        "enabled": proxy.enabled,
        "owns_port": proxy.owns_port,
        "connections": proxy.connections,
        "down_met": max(proxy.holders.values(), default=0),
        "down": {holder: {"met": met} | _lease(proxy, "down", holder) for holder, met in proxy.holders.items()},
        "toxics": {
            name: {"met": toxic.met, "chunks": toxic.chunks} | _lease(proxy, "toxic", name)
            for name, toxic in proxy.toxics.items()
        },
        "tls": None
        if proxy.tls is None
        else {
            "ca": proxy.tls.ca_pem,
            "names": list(proxy.tls.settings.names),
            "good": proxy.tls.good.fingerprint,
            "bad": {kind: served.fingerprint for kind, served in proxy.tls.bad.items()},
        },
    }


def _lease(proxy: Proxy, what: str, name: str) -> dict[str, int]:
    left = proxy.lease_left(what, name)
    return {} if left is None else {"lease_ms": left}
