"""The exec of the emulated API: a websocket, and the few things that a command can do to a container here.

``kill -…`` restarts it, unless the pod's annotation ``emulated/ignores`` names its container; any other command is not found.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import uuid
from typing import TYPE_CHECKING, Any

from tests.fakes.kube.errors import ApiError
from tests.fakes.kube.selection import Object
from tests.fakes.kube.store import PODS

if TYPE_CHECKING:
    from tests.fakes.kube.server import Handler

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, section 1.3."""
_TEXT_LIMIT = 126
_BINARY, _CLOSE, _STATUS = 0x82, 0x88, 3


def answer_exec(handler: Handler, namespace: str, name: str, asked: dict[str, list[str]]) -> None:
    """Do what one command does, and tell its status; ApiError before the handshake for what cannot be started."""
    if ("get", "pods/exec") in handler.kube.denied:
        raise ApiError(403, "Forbidden", 'pods is forbidden: User "u" cannot get resource "pods/exec"')
    container = asked.get("container", [""])[0]
    pod = handler.kube.store.get(PODS, namespace, name)
    if container not in {one["name"] for one in pod["spec"].get("containers", [])}:
        raise ApiError(400, "BadRequest", f"container {container} is not valid for pod {name}")
    key = handler.headers["Sec-WebSocket-Key"]
    accept = base64.b64encode(hashlib.sha1((key + _MAGIC).encode(), usedforsecurity=False).digest()).decode()
    handler.send_response(101)
    for header in (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept)):
        handler.send_header(*header)
    handler.send_header("Sec-WebSocket-Protocol", "v4.channel.k8s.io")
    handler.end_headers()
    status = _run(handler, pod, container, " ".join(asked.get("command", [])))
    _send(handler, _BINARY, bytes([_STATUS]) + json.dumps(status).encode())
    _send(handler, _CLOSE, struct.pack("!H", 1000))
    handler.close_connection = True


def _run(handler: Handler, pod: Object, container: str, command: str) -> dict[str, Any]:
    if "kill -" not in command:
        return {"status": "Failure", "message": "command terminated with exit code 127", "reason": "NonZeroExitCode"}
    notes: dict[str, str] = pod["metadata"].get("annotations") or {}
    if container != notes.get("emulated/ignores"):
        meta = pod["metadata"]
        handler.kube.store.change(PODS, meta["namespace"], meta["name"], lambda new: restart(new, container))
    return {"status": "Success", "metadata": {}}


def restart(pod: Object, container: str) -> None:
    """Let a container of a pod end, and another one run in its place."""
    for status in pod["status"]["containerStatuses"]:
        if status["name"] == container:
            status.update(restartCount=status["restartCount"] + 1, containerID=f"containerd://{uuid.uuid4().hex}")


def _send(handler: Handler, kind: int, data: bytes) -> None:
    length = bytes([len(data)]) if len(data) < _TEXT_LIMIT else bytes([_TEXT_LIMIT]) + struct.pack("!H", len(data))
    handler.wfile.write(bytes([kind]) + length + data)
    handler.wfile.flush()
