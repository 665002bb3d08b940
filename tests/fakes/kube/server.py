"""The HTTP side of the emulated API server: paths, verbs, reviews, and what a test has told it to refuse."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.kube.errors import ApiError, Broken
from tests.fakes.kube.executing import answer_exec
from tests.fakes.kube.selection import Object
from tests.fakes.kube.store import CLUSTER_WIDE, NAMESPACES, PODS, Resource, merged
from tests.fakes.kube.watching import watch

if TYPE_CHECKING:
    from tests.fakes.kube.cluster import FakeKube

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


def handler_for(kube: FakeKube) -> type[BaseHTTPRequestHandler]:
    """Return the handler of one cluster."""
    return type("Bound", (Handler,), {"kube": kube})


class Asked(NamedTuple):
    """One request for a resource."""

    verb: str
    resource: Resource
    namespace: str | None
    name: str
    sub: str
    query: dict[str, str]
    body: Object


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes: every answer would wait 40 ms for a delayed ACK
    kube: FakeKube
    instead: Broken | None = None
    """What is sent instead of the next answer."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Say nothing."""

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        split = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(split.query).items()}
        try:
            body: Object = json.loads(raw) if raw else {}
            self.kube.tokens.add(self.headers.get("Authorization", ""))
            dry = "?dryRun=All" if query.get("dryRun") == "All" else ""
            self.kube.requests.append((self.command, split.path + dry, body))
            self.instead = self._misbehave(split.path)
            if self.instead and not self.instead.done:
                return self.instead.send(self, self.kube.stopping)
            if self.headers.get("Upgrade", "").lower() == "websocket":
                _, _, _, namespace, _, name, _ = split.path.strip("/").split("/")
                return answer_exec(self, namespace, name, parse_qs(split.query))
            self._route([unquote(part) for part in split.path.strip("/").split("/")], query, body)
        except ApiError as error:
            self.answer(error.code, error.body, error.headers)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 - their names there

    def _misbehave(self, path: str) -> Broken | None:
        for fault in list(self.kube.faults):
            found = fault(self.command, path)
            if isinstance(found, ApiError):
                raise found
            if isinstance(found, Broken):
                return found
            if found:
                end = time.monotonic() + found
                while time.monotonic() < end and not self.kube.stopping.is_set():
                    time.sleep(0.02)
        return None

    def answer(self, code: int, body: Object | bytes, headers: Mapping[str, str] | None = None) -> None:
        """Send one whole answer, or what a test wants instead of it."""
        if self.instead:
            return self.instead.send(self, self.kube.stopping)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/plain" if isinstance(body, bytes) else "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        return None

    def _route(self, parts: list[str], query: dict[str, str], body: Object) -> None:
        if parts == ["version"]:
            return self.answer(200, {"major": "1", "minor": "34", "gitVersion": "v1.34.0-fake"})
        group, version, rest = ("", parts[1], parts[2:]) if parts[0] == "api" else (parts[1], parts[2], parts[3:])
        if group == "authorization.k8s.io":
            asked = body["spec"]["resourceAttributes"]
            full = "/".join(filter(None, (asked["resource"], asked.get("subresource"))))
            allowed = (asked["verb"], full) not in self.kube.denied
            return self.answer(201, {**body, "status": {"allowed": allowed}})
        if not rest:
            return self._discover(group, version)
        namespace = rest[1] if rest[0] == "namespaces" and len(rest) > 2 else None
        rest = rest[2:] if namespace else rest
        resource: Resource = (group, version, rest[0])
        if resource not in self.kube.store.kinds:
            return self.answer(404, b"404 page not found\n")
        name, sub = ([*rest[1:], "", ""])[:2]
        return self._serve(Asked(self._verb(name, query), resource, namespace, name, sub, query, body))

    def _discover(self, group: str, version: str) -> None:
        kinds = self.kube.store.kinds.items()
        found = [
            {"name": res[2], "kind": kind, "namespaced": res not in CLUSTER_WIDE}
            for res, kind in kinds
            if res[:2] == (group, version)
        ]
        if not found:
            return self.answer(404, b"404 page not found\n")
        return self.answer(200, {"kind": "APIResourceList", "groupVersion": f"{group}/{version}", "resources": found})

    def _verb(self, name: str, query: dict[str, str]) -> str:
        if self.command == "GET":
            return "get" if name else "watch" if query.get("watch", "").lower() in ("true", "1") else "list"
        return _VERBS.get(self.command) or ("delete" if name else "deletecollection")

    def _serve(self, asked: Asked) -> None:
        res = asked.resource
        full = f"{res[2]}/{asked.sub}" if asked.sub else res[2]
        if (asked.verb, full) in self.kube.denied:
            text = f'{res[2]} is forbidden: User "u" cannot {asked.verb} resource "{full}"'
            raise ApiError(403, "Forbidden", text)
        if asked.verb == "watch":
            return watch(self, res, asked.namespace, asked.query)
        if asked.sub == "log":
            return self.answer(200, self._log(asked))
        with self.kube.store.lock:
            if self.command == "GET":
                code, out = 200, self._read(asked)
            elif self.command == "POST":
                code, out = 201, self._create(asked)
            else:
                code, out = 200, self._remove(asked) if self.command == "DELETE" else self._write(asked)
        return self.answer(code, out)

    def _log(self, asked: Asked) -> bytes:
        pod = self.kube.store.get(asked.resource, asked.namespace, asked.name)
        which = "previous" if asked.query.get("previous") == "true" else "this"
        container, uid = asked.query.get("container", ""), pod["metadata"]["uid"]
        return f"2026-01-01T00:00:00Z {which} container {container} of {uid}\n".encode()

    def _read(self, asked: Asked) -> Object:
        if asked.verb == "list":
            return self._list(asked)
        found = self.kube.store.get(asked.resource, asked.namespace, asked.name)
        return _scale(found) if asked.sub == "scale" else found

    def _create(self, asked: Asked) -> Object:
        store, dry = self.kube.store, asked.query.get("dryRun") == "All"
        if asked.sub == "eviction":
            return store.evict(asked.namespace or "", asked.name, asked.body, dry=dry)
        return store.create(asked.resource, asked.namespace, asked.body, dry=dry)

    def _write(self, asked: Asked) -> Object:
        store, where = self.kube.store, (asked.resource, asked.namespace, asked.name)
        new = merged(store.get(*where), asked.body) if asked.verb == "patch" else asked.body
        written = store.update(*where, new, dry=asked.query.get("dryRun") == "All")
        return _scale(written) if asked.sub == "scale" else written

    def _remove(self, asked: Asked) -> Object:
        store, res, dry = self.kube.store, asked.resource, asked.query.get("dryRun") == "All"
        options = dict(asked.body)
        if "gracePeriodSeconds" in asked.query:
            options["gracePeriodSeconds"] = int(asked.query["gracePeriodSeconds"])
        if asked.verb == "delete":
            gone = store.delete(res, asked.namespace, asked.name, options, dry=dry)
            return gone if res in (PODS, NAMESPACES) else _success(res, gone)
        found = self._list(asked)
        for item in found["items"]:
            store.delete(res, asked.namespace, item["metadata"]["name"], options, dry=dry)
        return found

    def _list(self, asked: Asked) -> Object:
        store, res, query = self.kube.store, asked.resource, asked.query
        labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
        return {
            "kind": f"{store.kinds[res]}List",
            "apiVersion": "/".join(filter(None, res[:2])),
            "metadata": {"resourceVersion": str(store.version)},
            "items": store.list(res, asked.namespace, labels=labels, fields=fields),
        }


def _scale(found: Object) -> Object:
    status = {"replicas": found["status"].get("replicas", 0)}
    spec = {"replicas": found["spec"]["replicas"]}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": found["metadata"],
        "spec": spec,
        "status": status,
    }


def _success(res: Resource, gone: Object) -> Object:
    details = {"name": gone["metadata"]["name"], "kind": res[2], "uid": gone["metadata"]["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
