"""Run a command in a container, over a websocket as kubectl exec does, within a deadline.

The frames of ``v4.channel.k8s.io``: the first byte is the channel, 1 and 2 are output, 3 is a Status when the command has ended.
"""

from __future__ import annotations

import importlib
import json
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlencode

from gameday_drivers.kube.answers import KubeError
from gameday_drivers.kube.api import REQUEST_SECONDS, Api
from gameday_drivers.kube.pods import path

_PROTOCOL = "v4.channel.k8s.io"
_OUTPUT, _STATUS = (1, 2), 3
_MOST = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """How a command in a container has ended."""

    output: str
    error: str
    """Empty when it ended well, or when the connection ended before it was told: the container may be gone."""


def execute(api: Api, namespace: str, pod: str, container: str, argv: Sequence[str]) -> Executed:
    """Run it to its end; KubeError when it cannot be started, or the API server does not answer in time."""
    websocket = cast("Any", importlib.import_module("websocket"))
    asked = [("container", container), ("stdout", "1"), ("stderr", "1"), *(("command", word) for word in argv)]
    where = f"{path(namespace, pod)}/exec"
    base = api.client.configuration.host.rstrip("/").replace("http", "ws", 1)
    headers: dict[str, str] = {}
    api.client.update_params_for_auth(headers, [], ["BearerToken"])
    try:
        connection = websocket.create_connection(
            f"{base}{where}?{urlencode(asked)}",
            timeout=REQUEST_SECONDS,
            header=[f"{key}: {value}" for key, value in headers.items()],
            subprotocols=[_PROTOCOL],
            sslopt=_tls(api.client.configuration),
        )
    except websocket.WebSocketBadStatusException as error:
        raise _refused(where, int(error.status_code), error.resp_body) from None
    except (websocket.WebSocketException, OSError) as error:
        raise KubeError(f"no answer from the API server {api.cluster.server}: {type(error).__name__}") from None
    try:
        return _ended(connection, websocket)
    finally:
        connection.close(timeout=0)


def _ended(connection: Any, websocket: Any) -> Executed:
    said, end = b"", time.monotonic() + REQUEST_SECONDS
    while time.monotonic() < end:
        try:
            data: Any = connection.recv()
        except websocket.WebSocketTimeoutException:
            break
        except (websocket.WebSocketException, OSError):
            return Executed(output=_words(said), error="")
        frame: bytes = data.encode() if isinstance(data, str) else data
        if not frame:
            return Executed(output=_words(said), error="")
        if frame[0] in _OUTPUT:
            said = (said + frame[1:])[-_MOST:]
        elif frame[0] == _STATUS:
            return Executed(output=_words(said), error=_failure(frame[1:]))
    raise KubeError(f"the command had not ended after {REQUEST_SECONDS:g} s")


def _failure(frame: bytes) -> str:
    try:
        status: dict[str, Any] = json.loads(frame)
    except ValueError:
        return "it ended without a status"
    return "" if status.get("status") == "Success" else str(status.get("message") or "it failed")


def _words(said: bytes) -> str:
    text = said.decode(errors="replace").strip()
    return "".join(c if c.isprintable() else " " for c in text)


def _refused(where: str, status: int, body: Any) -> KubeError:
    try:
        said = str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        said = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
    return KubeError(f"the API server answers {status} to exec {where}: {_words(said.encode())[:300]}", status=status)


def _tls(known: Any) -> dict[str, Any]:
    """Take over what the kubeconfig says about TLS, as kubernetes.stream does."""
    if not known.verify_ssl:
        options: dict[str, Any] = {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}
    else:
        options = {"cert_reqs": ssl.CERT_REQUIRED}
        options |= {"ca_certs": known.ssl_ca_cert} if known.ssl_ca_cert else {}
        options |= {} if known.assert_hostname is None else {"check_hostname": known.assert_hostname}
    options |= {"certfile": known.cert_file} if known.cert_file else {}
    options |= {"keyfile": known.key_file} if known.key_file else {}
    return options | ({"server_hostname": known.tls_server_name} if known.tls_server_name else {})
