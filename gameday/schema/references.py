"""What one section says about another: names that must exist, ports that must differ, hosts that may be loaded, time that must suffice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from gameday.schema.alerts import check_alert
from gameday.schema.document import Document
from gameday.schema.errors import Span, did_you_mean
from gameday.schema.experiment import Objective
from gameday.schema.gauges import check_gauges
from gameday.schema.nodes import Entries, Items, Node, Value, find, keys, locate, pairs, texts
from gameday.schema.parts import Parts
from gameday.schema.quantities import format_duration, shown
from gameday.schema.recovery import offered_rate, shortest_hold_ms, window
from gameday.schema.templates import check_templates


def check_references(document: Document, root: Entries, parts: Parts) -> None:
    """Note in the document everything that one section says wrongly about another."""
    _unique(document, "request", _names(root, "load", "requests"))
    _unique(document, "fault", _names(root, "faults"))
    _endpoints(document, root)
    _targets(document, root)
    _listeners(document, root, parts)
    _hosts(document, root, parts)
    check_templates(document, root)
    check_gauges(document, root, parts)
    for name, objective in parts.objectives.items():
        if objective.alert is not None:
            check_alert(document, root, name, parts)
            continue
        _same_metric(document, root, name, objective)
        _recovery(document, root, name, parts)


def _names(root: Node, *path: str) -> Iterator[tuple[Span, str]]:
    """Yield the ``name`` of each entry of a list."""
    section = find(root, path)
    for item in section.items if isinstance(section, Items) else ():
        yield from texts(find(item, ("name",)))


def _unique(document: Document, what: str, names: Iterable[tuple[Span, str]]) -> None:
    first: dict[str, Span] = {}
    for span, name in names:
        if name in first:
            hint = f"first given in line {first[name].line}"
            document.add(span, "duplicate-name", f"a second {what} is called {shown(name)}", hint)
        first.setdefault(name, span)


def _endpoints(document: Document, root: Node) -> None:
    known = {name for _, name in _names(root, "load", "requests")}
    for _, _, objective in pairs(find(root, ("objectives",))) if known else ():
        for span, name in texts(find(objective, ("where", "endpoint"))):
            if name not in known and not document.has_error_at(span):
                message = f"no request is called {shown(name)}"
                document.add(span, "unknown-endpoint", message, did_you_mean(name, known))


def _targets(document: Document, root: Node) -> None:
    """``with: {process: …}``, ``with: {proxy: …}`` and a gauge ``{process: …}`` name what the file declares."""
    faults = find(root, ("faults",))
    for fault in faults.items if isinstance(faults, Items) else ():
        for parameter, section in (("process", "system"), ("proxy", "proxies")):
            node = find(fault, ("with", parameter))
            if isinstance(node, Value):
                _declared(document, node, parameter, section, keys(find(root, (section,))))
    for _, _, sli in pairs(find(root, ("slis",))):
        node = find(sli, ("process",)) if keys(sli)[:1] == ("process",) else None
        if isinstance(node, Value):
            _declared(document, node, "process", "system", keys(find(root, ("system",))))


def _declared(document: Document, node: Value, parameter: str, section: str, known: tuple[str, ...]) -> None:
    if isinstance(node.value, str) and node.value not in known and not document.has_error_at(node.span):
        hint = did_you_mean(node.value, known) or f"declare it under {section}:"
        message = f"no {parameter} is called {shown(node.value)} under {section!r}"
        document.add(node.span, f"unknown-{parameter}", message, hint)


def _listeners(document: Document, root: Node, parts: Parts) -> None:
    first: dict[str, str] = {}
    for name, proxy in parts.proxies.items():
        port = (proxy.listen or "").rpartition(":")[2]
        if port and port in first:
            span = locate(root, ("proxies", name, "listen"))
            message = f"proxies {first[port]!r} and {name!r} listen on the same port, {port}"
            document.add(span, "same-port", message, "give each proxy a port of its own")
        first.setdefault(port, name)
        if proxy.listen is not None and proxy.listen == proxy.upstream:
            span = locate(root, ("proxies", name, "upstream"))
            document.add(span, "same-port", f"proxy {name!r} would forward to itself")


def _host(url: str) -> str | None:
    """Return a URL's host in lower case, or None when it has none that can be known here."""
    try:
        split = urlsplit(url)
        host = split.hostname
    except ValueError:
        return None
    return None if "${" in split.netloc or "{{" in split.netloc else host


def _allowed(host: str | None, patterns: Iterable[str]) -> bool:
    return host is not None and any(fnmatchcase(host, pattern.lower().strip("[]")) for pattern in patterns)


def _hosts(document: Document, root: Node, parts: Parts) -> None:
    """Only the target's own host may be loaded, or those that ``allow_hosts`` names."""
    load = find(root, ("load",))
    target = find(load, ("target",))
    if not isinstance(target, Value) or not isinstance(target.value, str) or parts.target is None:
        return
    host = _host(parts.target)
    if document.has_error_at(target.span) or "://" not in parts.target:
        return
    if host is None:
        hint = "a secret cannot be the host; write http://HOST and keep secrets to headers"
        document.add(target.span, "host", "the host of the target cannot be known", hint)
        return
    if parts.allow_hosts is not None and not _allowed(host, parts.allow_hosts):
        document.add(
            target.span, "host", f"the target's host {host!r} is not among allow_hosts", f"add {host!r} to allow_hosts"
        )
    for index, request in parts.requests.items():
        other = _host(request.path) if "://" in request.path else host
        if other != host and not _allowed(other, parts.allow_hosts or ()):
            span = locate(root, ("load", "requests", index, request.method))
            message = f"this request goes to another host, {shown(other)}"
            document.add(span, "host", message, f"name it: allow_hosts: [{host}, {other}]")


def _same_metric(document: Document, root: Node, name: str, objective: Objective) -> None:
    """Line by line, ``during`` speaks of what ``expect`` speaks of."""
    if objective.during is None:
        return
    span = locate(root, ("objectives", name, "during"))
    expect = [criterion.metric for criterion in objective.expect]
    during = [criterion.metric for criterion in objective.during]
    if expect != during:
        message = f"during speaks of {', '.join(during)}, but expect of {', '.join(expect)}"
        document.add(span, "different-metric", message, "use the same metrics in the same order, a line each")


def _recovery(document: Document, root: Node, name: str, parts: Parts) -> None:
    """Check that the hold is long enough to mean something, and the recovery phase long enough for within and hold."""
    load, phases, objective = parts.load, parts.phases, parts.objectives[name]
    if phases is None or (load is None and find(root, ("load",)) is not None):
        return
    begin = (
        phases.warmup + phases.baseline + max((fault.at + fault.length for fault in parts.faults.values()), default=0)
    )
    planned = (begin, begin + phases.recovery)
    rate = offered_rate(objective, load, planned)
    within, hold = window(objective, load, phases, planned)
    path = ("objectives", name, "recover")
    shortest = shortest_hold_ms(objective.expect, rate)
    if objective.recover.hold is not None and hold < shortest:
        message = f"a hold of {format_duration(hold)} has too few requests to keep the budget of {name!r}"
        enough = format_duration(-(-shortest // 1000) * 1000)
        document.add(locate(root, (*path, "hold")), "too-short", message, f"hold for at least {enough}")
    elif within <= 0 or within + hold > phases.recovery:
        asked = objective.recover.within
        what = f"recovery within {format_duration(asked)} and a hold" if asked else "a hold"
        fits = f"{what} of {format_duration(hold)} {'do' if asked else 'does'} not fit"
        message = f"{fits} into a recovery phase of {format_duration(phases.recovery)}"
        span = locate(root, path if find(root, path) else ("phases", "recovery"), key=True)
        needed = format_duration(hold + (asked or 1_000))
        document.add(span, "too-short", f"{message}, for {name!r}", f"phases: {{recovery: {needed}}} or more")
