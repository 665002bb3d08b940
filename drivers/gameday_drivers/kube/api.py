"""One way to the API server: an explicit kubeconfig and context, a timeout on every request, answers as plain JSON.

The official client does the connection and the credentials, and nothing else: its models differ between versions, and it reads
KUBECONFIG once, at import, so that a later change goes on talking to the first cluster.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

from gameday.model import Json
from gameday.spi import DriverError
from gameday_drivers.kube.answers import SAID, KubeError, plain, refused, silent

REQUEST_SECONDS = 2.0
"""How long one request may take: two of them fit into what a measurement may."""
WAIT_SECONDS, WAITS = 1.0, 2
"""How long, and how often, a request waits that an overloaded server has put off (429): it says 1 s itself (API Priority and Fairness)."""
MERGE = "application/merge-patch+json"
_LONGEST = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Which cluster, as a plan keeps it."""

    kubeconfig: str
    context: str
    server: str
    """URL of the API server that the context led to when the plan was made."""

    @property
    def words(self) -> str:
        """How a target names it; by the address, too, so that a plan for another server is another plan."""
        return f"in {self.context} ({self.server})"

    def to_json(self) -> dict[str, str]:
        """As a plan keeps it."""
        return {"kubeconfig": self.kubeconfig, "context": self.context, "server": self.server}


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """An open way to one cluster."""

    cluster: Cluster
    client: Any
    seconds: float = REQUEST_SECONDS
    """How long one request may take."""

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        """Read one object or list; KubeError, with status 404 when it is not there."""
        return self._ask("GET", path, query=query)

    def dated(self, path: str, query: Mapping[str, str] | None = None) -> tuple[Json, float]:
        """Read an object or a list, and what time it is there (seconds since the epoch): its clock, not ours, is that of its objects."""
        body, headers = self._answer("GET", path, query=query)
        found = self._object(body, f"GET {path}")
        try:
            return found, parsedate_to_datetime(str(headers["Date"])).timestamp()
        except (ValueError, KeyError, TypeError):
            raise KubeError(f"{self.cluster.server} does not say what time it is") from None

    def text(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """Read what is no JSON, like a log; the end of it, where it is longer than 4 MiB."""
        return self._answer("GET", path, query=query, accept="*/*")[0][-_LONGEST:].decode(errors="replace")

    def find(self, path: str) -> Json | None:
        """Read one object, or return None when it is not there."""
        try:
            return self.get(path)
        except KubeError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def find_dated(self, path: str) -> tuple[Json | None, float]:
        """Read one object, None when it is not there, and what time it is there."""
        try:
            return self.dated(path)
        except KubeError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None, 0.0
            raise

    def create(self, path: str, body: Json, query: Mapping[str, str] | None = None) -> Json:
        """Create an object; with ``dryRun: All`` only say what it would be."""
        return self._ask("POST", path, query=query, body=body)

    def patch(self, path: str, body: Json) -> Json:
        """Apply a JSON merge patch; with ``metadata.resourceVersion`` only to that very version, else status 409."""
        return self._ask("PATCH", path, body=body, kind=MERGE)

    def delete(self, path: str, *, uid: str, grace: int | None = None) -> Json:
        """Delete that very object, status 409 when another one has its name; ``grace`` in seconds."""
        body: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
        return self._ask("DELETE", path, body=body if grace is None else {**body, "gracePeriodSeconds": grace})

    def _ask(self, method: str, path: str, **more: Any) -> Json:
        return self._object(self._answer(method, path, **more)[0], f"{method} {path}")

    def _object(self, data: bytes, asked: str) -> Json:
        """Read an answer; KubeError for what no API server says, like the page of a proxy on the way."""
        try:
            found: Any = json.loads(data)
        except ValueError:
            raise KubeError(f"{self.cluster.server} answers {asked} with what is not JSON") from None
        if not isinstance(found, dict) or "kind" not in found:
            raise KubeError(f"{self.cluster.server} answers {asked} with what is no object of Kubernetes")
        return cast("Json", found)

    def _answer(self, method: str, path: str, **more: Any) -> tuple[bytes, Mapping[str, Any]]:
        """Ask, and again where the server has put it off for a moment: it has done nothing then."""
        for _ in range(WAITS):
            try:
                return self._once(method, path, **more)
            except KubeError as error:
                if error.status != HTTPStatus.TOO_MANY_REQUESTS or not 0 < error.wait <= WAIT_SECONDS:
                    raise
                time.sleep(error.wait)
        return self._once(method, path, **more)

    def _once(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
        kind: str = "application/json",
        accept: str = "application/json",
    ) -> tuple[bytes, Mapping[str, Any]]:
        kubernetes, urllib3 = _library(), cast("Any", importlib.import_module("urllib3"))
        try:
            answer = self.client.call_api(
                path,
                method,
                query_params=list((query or {}).items()),
                header_params={"Accept": accept, "Content-Type": kind},
                body=None if body is None else dict(body),
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=(self.seconds, self.seconds),  # client 35 ignores a single float
            )
            return bytes(answer.data), dict(answer.headers)
        except kubernetes.client.exceptions.ApiException as error:
            if error.status:
                raise refused(f"{method} {path}", error) from None
            raise silent(self.cluster.server, str(error.reason)) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise silent(self.cluster.server, plain(error, self.seconds)) from None


def _library() -> Any:
    try:
        return importlib.import_module("kubernetes")
    except ImportError as error:
        message = "Kubernetes faults need the package kubernetes"
        raise DriverError(message, hint='pip install "gameday-runner[kubernetes]"') from error


@contextmanager
def connect(kubeconfig: str, context: str, seconds: float = REQUEST_SECONDS) -> Generator[Api]:
    """Open the way to the cluster that a context of a kubeconfig names; DriverError when there is none. Nothing is sent."""
    path = Path(kubeconfig).expanduser()
    if not path.is_file():
        raise DriverError(f"there is no kubeconfig {path}", hint="name one file; lists with : are not read")
    kubernetes, yaml = _library(), cast("Any", importlib.import_module("yaml"))
    configuration = kubernetes.client.Configuration()
    try:
        kubernetes.config.load_kube_config(
            config_file=str(path.resolve()), context=context, client_configuration=configuration, persist_config=False
        )
    except (kubernetes.config.ConfigException, yaml.YAMLError, OSError, ValueError, TypeError, KeyError) as error:
        said = str(error).splitlines()[0][:SAID] if str(error) else type(error).__name__
        raise DriverError(f"the context {context!r} of {path} cannot be used: {said}") from None
    configuration.retries = False
    cluster = Cluster(kubeconfig=str(path.resolve()), context=context, server=str(configuration.host))
    client = kubernetes.client.ApiClient(configuration)
    try:
        yield Api(cluster=cluster, client=client, seconds=seconds)
    finally:
        client.rest_client.pool_manager.clear()


@contextmanager
def planned(undo: Json) -> Generator[Api]:
    """Open the way to the cluster of a plan; DriverError when its context leads to another server than it did then."""
    was = undo["cluster"]
    with connect(str(was["kubeconfig"]), str(was["context"])) as api:
        if api.cluster.server != was["server"]:
            raise DriverError(
                f"the context {was['context']} leads to {api.cluster.server}, and it was planned for {was['server']}",
                hint=f"put the context in {was['kubeconfig']} back; nothing was touched",
            )
        yield api
