"""A watch: what enters, changes and leaves a selection, from a resource version on, until its time is over."""

from __future__ import annotations

import json
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from tests.fakes.kube.selection import Object, fields_match, labels_match
from tests.fakes.kube.store import Change, Resource, labels_of

if TYPE_CHECKING:
    from tests.fakes.kube.server import Handler

_LOOK_SECONDS = 0.2


def watch(handler: Handler, res: Resource, ns: str | None, query: dict[str, str]) -> None:
    """Stream the changes as lines of JSON."""
    store = handler.kube.store
    queue: SimpleQueue[Change] = SimpleQueue()
    with store.lock:
        store.watchers.append(queue)
        since = int(query.get("resourceVersion") or 0)
        found: list[Change] = [(0, "ADDED", res, ns, item, None) for item in store.list(res, ns)]
        for change in [item for item in store.changes if item[0] > since] if since else found:
            queue.put(change)
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    try:
        _stream(handler, queue, (res, ns), query)
        handler.wfile.write(b"0\r\n\r\n")
    finally:
        with store.lock:
            store.watchers.remove(queue)


def _stream(
    handler: Handler, queue: SimpleQueue[Change], what: tuple[Resource, str | None], query: dict[str, str]
) -> None:
    end = time.monotonic() + float(query.get("timeoutSeconds") or 300)
    while (left := end - time.monotonic()) > 0 and not handler.kube.stopping.is_set():
        try:
            _, kind, res, ns, new, old = queue.get(timeout=min(left, _LOOK_SECONDS))
        except Empty:
            continue
        if res != what[0] or what[1] not in (None, ns):
            continue
        shown = _seen_as(kind, _hit(new, query), old is not None and _hit(old, query))
        if shown:
            line = json.dumps({"type": shown, "object": new}).encode() + b"\n"
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            handler.wfile.flush()


def _hit(found: Object, query: dict[str, str]) -> bool:
    return labels_match(query.get("labelSelector", ""), labels_of(found)) and fields_match(
        query.get("fieldSelector", ""), found
    )


def _seen_as(kind: str, now: bool, before: bool) -> str:
    """Leaving a selection shows as DELETED and entering it as ADDED."""
    if kind != "MODIFIED":
        return kind if now else ""
    return {(True, True): "MODIFIED", (True, False): "ADDED", (False, True): "DELETED"}.get((now, before), "")
