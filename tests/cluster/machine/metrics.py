"""A metrics server for the cluster: what its kubelets measured of each container, as metrics.k8s.io/v1beta1 over TLS.

It runs beside the control plane, and asks for nobody's name: ``metrics.py KUBECONFIG CERTIFICATE KEY``. It answers only for one
namespace at a time, which is how autoscalers and the probe ask; a list of everything is empty.
"""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

PORT = 4443
GROUP = "metrics.k8s.io"
NODE_ADDRESSES = ("10.200.0.1", "10.200.0.2")
WINDOW = "10s"
_PODS = re.compile(rf"/apis/{GROUP}/v1beta1/namespaces/([a-z0-9-]+)/pods")
_TIMEOUT_SECONDS = 5.0
_KNOWN = {
    "kind": "APIResourceList",
    "apiVersion": "v1",
    "groupVersion": f"{GROUP}/v1beta1",
    "resources": [
        {"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics", "verbs": ["get", "list"]}
    ],
}


def manifests() -> list[dict[str, Any]]:
    """Return what makes the API server pass questions on: a service without pods, its one address, and the API's registration."""
    where = {"name": "metrics", "namespace": "kube-system"}
    reached = [{"addresses": [{"ip": NODE_ADDRESSES[0]}], "ports": [{"port": PORT}]}]
    service = {"name": where["name"], "namespace": where["namespace"], "port": 443}
    register: dict[str, Any] = {"group": GROUP, "version": "v1beta1", "insecureSkipTLSVerify": True, "service": service}
    register |= {"groupPriorityMinimum": 100, "versionPriority": 100}
    ports = [{"port": 443, "targetPort": PORT}]
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": where, "spec": {"ports": ports}},
        {"apiVersion": "v1", "kind": "Endpoints", "metadata": where, "subsets": reached},
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": f"v1beta1.{GROUP}"},
            "spec": register,
        },
    ]


def measured(pods: list[Any], summaries: list[Any]) -> list[dict[str, Any]]:
    """Return the measurements of those pods of which the kubelets have both, by uid; a pod of which they have less is left out."""
    by_uid = {pod["podRef"]["uid"]: pod for summary in summaries for pod in summary["pods"]}
    found: list[dict[str, Any]] = []
    for pod in pods:
        containers: list[Any] = by_uid.get(pod["metadata"]["uid"], {}).get("containers") or []
        if not containers or not all(_is_whole(container) for container in containers):
            continue
        meta = {key: pod["metadata"][key] for key in ("name", "namespace")}
        oldest = min(container["cpu"]["time"] for container in containers)
        usage = [{"name": one["name"], "usage": _usage(one)} for one in containers]
        found.append({"metadata": meta, "timestamp": oldest, "window": WINDOW, "containers": usage})
    return found


def _is_whole(container: Mapping[str, Any]) -> bool:
    return "usageNanoCores" in container.get("cpu", {}) and "workingSetBytes" in container.get("memory", {})


def _usage(container: Mapping[str, Any]) -> dict[str, str]:
    cpu, memory = container["cpu"]["usageNanoCores"], container["memory"]["workingSetBytes"]
    return {"cpu": f"{cpu}n", "memory": f"{memory // 1024}Ki"}


def _summaries() -> list[Any]:
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE  # kubelets sign their own certificates here
    found: list[Any] = []
    for address in NODE_ADDRESSES:
        url = f"https://{address}:10250/stats/summary"
        with urllib.request.urlopen(url, context=trusting, timeout=_TIMEOUT_SECONDS) as answer:
            found.append(json.load(answer))
    return found


def _get(kubeconfig: str, path: str) -> list[Any]:
    words = ["kubectl", "--kubeconfig", kubeconfig, "get", "--raw", path]
    return list(json.loads(subprocess.run(words, capture_output=True, check=True, timeout=10).stdout)["items"])


def _handler(kubeconfig: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            pods = _PODS.fullmatch(asked.path)
            if asked.path == f"/apis/{GROUP}/v1beta1":
                self._answer(200, _KNOWN)
            elif pods:
                selector = parse_qs(asked.query).get("labelSelector", [""])[0]
                query = urlencode({"labelSelector": selector, "fieldSelector": "status.phase=Running"})
                listed = _get(kubeconfig, f"/api/v1/namespaces/{pods[1]}/pods?{query}")
                self._answer(200, _list(measured(listed, _summaries())))
            elif asked.path == f"/apis/{GROUP}/v1beta1/pods":
                self._answer(200, _list([]))
            else:
                self._answer(404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404})

        def _answer(self, status: int, document: Mapping[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _list(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": "PodMetricsList", "apiVersion": f"{GROUP}/v1beta1", "metadata": {}, "items": items}


def main(kubeconfig: str, certificate: str, key: str) -> None:
    """Serve until killed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer((NODE_ADDRESSES[0], PORT), _handler(kubeconfig))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
