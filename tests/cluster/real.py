"""A namespace of our own in a real cluster, seen and changed by the official client; nothing of ours is asked about it."""

from __future__ import annotations

import base64
import importlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from gameday.testing import eventually
from tests.cluster.machine.credentials import kubeconfig

WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How to get to a cluster, and to the services in it."""

    kubeconfig: str
    context: str
    image: str
    ports: dict[int, str]
    """NodePorts that may be taken, each with its HOST:PORT; empty: any, at ``node``."""
    node: str = ""

    def client(self) -> Any:
        """Open a connection of the official client."""
        return _kubernetes().config.new_client_from_config(self.kubeconfig, context=self.context)


def _kubernetes() -> Any:
    return importlib.import_module("kubernetes")


class Shop:
    """One namespace, and applications in it that can be reached through NodePorts."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self.namespace = f"gameday-test-{secrets.token_hex(4)}"
        self._client = reach.client()
        library = _kubernetes().client
        self.core, self.apps = library.CoreV1Api(self._client), library.AppsV1Api(self._client)
        self._services: list[str] = []

    def open(self) -> None:
        """Make the namespace; pods can be made in it when this returns."""
        labels = {"kubernetes.io/metadata.name": self.namespace}  # which servers from 1.21 on give by themselves
        self.core.create_namespace({"metadata": {"name": self.namespace, "labels": labels}})
        assert eventually(
            lambda: self.finds(f"/api/v1/namespaces/{self.namespace}/serviceaccounts/default"), WAIT_SECONDS
        )

    def close(self) -> None:
        """Free the ports, and have the namespace deleted with all that is in it; that takes a while."""
        for name in self._services:
            self.core.delete_namespaced_service(name, self.namespace)
        self.core.delete_namespace(self.namespace)
        self.core.delete_collection_namespaced_pod(self.namespace, grace_period_seconds=0)
        self._client.close()

    @property
    def where(self) -> dict[str, Any]:
        """What every fault in this namespace is given."""
        return {"kubeconfig": self.reach.kubeconfig, "context": self.reach.context, "namespace": self.namespace}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the API server; the answer as plain JSON. The client's ApiException for any refusal."""
        answer = self._client.call_api(
            path, method, body=body, auth_settings=["BearerToken"], _preload_content=False, _return_http_data_only=True,
            header_params={"Accept": "application/json", "Content-Type": "application/json"},
        )  # fmt: skip
        return json.loads(answer.data)

    def finds(self, path: str) -> bool:
        """Whether there is such an object."""
        try:
            self.ask("GET", path)
        except _kubernetes().client.exceptions.ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    def deploy(
        self,
        name: str = "web",
        replicas: int = 3,
        *,
        warm: str = "0s",
        beside: Mapping[str, Any] | None = None,
        port: bool = True,
        spec: Mapping[str, Any] | None = None,
    ) -> str:
        """Make an application whose pods have the label ``app``; return the URL at which all of them answer.

        Without ``port`` it gets a service for the cluster only, and the URL is empty. ``beside`` is added to the pods
        (``containers`` after the application, ``volumes``), and ``spec`` to the deployment's.
        """
        container = {
            "name": "app",
            "image": self.reach.image,
            "imagePullPolicy": "IfNotPresent",
            "env": [
                {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "WARM", "value": warm},
            ],
            "readinessProbe": {
                "httpGet": {"path": "/healthz", "port": 8080},
                "periodSeconds": 1,
                "failureThreshold": 1,
            },
            "resources": {"requests": {"cpu": "100m", "memory": "16Mi"}, "limits": {"memory": "96Mi"}},
        }
        more = dict(beside or {})
        pod = {"terminationGracePeriodSeconds": 2, "automountServiceAccountToken": False, **more}
        pod["containers"] = [container, *more.get("containers", ())]
        template = {"metadata": {"labels": {"app": name}}, "spec": pod}
        whole = dict(spec or {}) | {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": template,
        }
        self.apps.create_namespaced_deployment(self.namespace, {"metadata": {"name": name}, "spec": whole})
        url = self.expose(name, outside=port)
        assert eventually(lambda: len(self.ready(name)) == replicas, WAIT_SECONDS), self.describe()
        if not port:
            return url
        names = set(self.ready(name).values())
        answering: set[str] = set()

        def all_answer() -> bool:
            answering.add(answered_by(url))
            return answering >= names

        assert eventually(all_answer, WAIT_SECONDS), (answering, names)
        return url

    def expose(self, name: str, *, app: str = "", target: int = 8080, outside: bool = True) -> str:
        """Make a service for the pods of an application (its namesake unless told); return its URL from outside, if it has one."""
        taken = {
            port["nodePort"]
            for service in self._all_services()
            for port in service["spec"]["ports"]
            if port.get("nodePort")
        }
        port: dict[str, Any] = {"port": 80, "targetPort": target}
        if outside and self.reach.ports:
            port["nodePort"] = next(number for number in self.reach.ports if number not in taken)
        spec = {"type": "NodePort" if outside else "ClusterIP", "selector": {"app": app or name}, "ports": [port]}
        made = self.core.create_namespaced_service(self.namespace, {"metadata": {"name": name}, "spec": spec})
        self._services.append(name)
        if not outside:
            return ""
        number = int(made.spec.ports[0].node_port)
        return f"http://{self.reach.ports.get(number) or f'{self.reach.node}:{number}'}"

    def _all_services(self) -> list[Any]:
        return list(self.ask("GET", "/api/v1/services")["items"])

    @property
    def _autoscalers(self) -> str:
        version = "v2" if self.finds("/apis/autoscaling/v2") else "v2beta2"
        return f"/apis/autoscaling/{version}/namespaces/{self.namespace}/horizontalpodautoscalers"

    def autoscale(self, name: str, least: int, most: int, **wanted: str) -> None:
        """Make an autoscaler that wants so much (``cpu=``, ``memory=``) of each pod; return when it has looked once."""
        ((resource, value),) = wanted.items()
        spec = {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": least,
            "maxReplicas": most,
            "metrics": [_measure(resource, value)],
        }
        self.ask("POST", self._autoscalers, {"metadata": {"name": name}, "spec": spec})

        def has_looked() -> bool:
            said = self.autoscaler(name).get("status", {}).get("conditions") or ()
            return any(one["type"] == "ScalingActive" and one["status"] == "True" for one in said)

        assert eventually(has_looked, WAIT_SECONDS), self.autoscaler(name)

    def autoscaler(self, name: str) -> Any:
        """Return an autoscaler."""
        return self.ask("GET", f"{self._autoscalers}/{name}")

    def retarget(self, name: str, **wanted: str) -> None:
        """Have an autoscaler want something else of each pod; tried again where its controller has written in between."""
        ((resource, value),) = wanted.items()

        def is_written() -> bool:
            found = self.autoscaler(name)
            found["spec"]["metrics"] = [_measure(resource, value)]
            try:
                self.ask("PUT", f"{self._autoscalers}/{name}", found)
            except _kubernetes().client.exceptions.ApiException as error:
                if error.status != HTTPStatus.CONFLICT:
                    raise
                return False
            return True

        assert eventually(is_written, WAIT_SECONDS)

    def pods(self, name: str = "web") -> list[Any]:
        """Return the pods of an application, ending ones too."""
        path = f"/api/v1/namespaces/{self.namespace}/pods?labelSelector=app%3D{name}"
        return list(self.ask("GET", path)["items"])

    def ready(self, name: str = "web") -> dict[str, str]:
        """Return the names of its pods that are ready and not ending, by uid."""
        return {
            pod["metadata"]["uid"]: pod["metadata"]["name"]
            for pod in self.pods(name)
            if not pod["metadata"].get("deletionTimestamp")
            and any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions") or ())
        }

    def replicas(self, name: str = "web") -> int:
        """Return how many it shall have."""
        found = self.ask("GET", f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{name}")
        return int(found["spec"]["replicas"])

    def annotations(self, name: str = "web") -> dict[str, str]:
        """Return the deployment's annotations with our prefix."""
        found = self.ask("GET", f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{name}")
        notes: dict[str, str] = found["metadata"].get("annotations") or {}
        return {key: value for key, value in notes.items() if key.startswith("gameday.io/")}

    def protect(self, name: str, least: int) -> None:
        """Make a disruption budget, in the version that the server knows; return when it is in force."""
        version = "v1" if self.finds("/apis/policy/v1") else "v1beta1"
        path = f"/apis/policy/{version}/namespaces/{self.namespace}/poddisruptionbudgets"
        spec = {"minAvailable": least, "selector": {"matchLabels": {"app": name}}}
        body = {
            "apiVersion": f"policy/{version}",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": name},
            "spec": spec,
        }
        self.ask("POST", path, body)
        there = len(self.ready(name)) - least
        found = f"{path}/{name}"
        assert eventually(
            lambda: self.ask("GET", found).get("status", {}).get("disruptionsAllowed") == there, WAIT_SECONDS
        )

    def viewer(self, folder: Path, *, rules: list[Any]) -> str:
        """Write a kubeconfig of a user who may only what the rules say, in this namespace; return its path."""
        ns = self.namespace
        rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}"
        kind = {"apiVersion": "rbac.authorization.k8s.io/v1"}
        self.core.create_namespaced_service_account(ns, {"metadata": {"name": "viewer"}})
        self.ask("POST", f"{rbac}/roles", {**kind, "kind": "Role", "metadata": {"name": "viewer"}, "rules": rules})
        self.bind("viewer")
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
        token = self.ask("POST", f"/api/v1/namespaces/{ns}/serviceaccounts/viewer/token", asked)["status"]["token"]
        configuration = self._client.configuration
        authority = base64.b64encode(Path(configuration.ssl_ca_cert).read_bytes()).decode()
        path = folder / "viewer"
        path.write_text(kubeconfig(configuration.host, authority, token))
        return str(path)

    def bind(self, role: str) -> None:
        """Give the viewer a role of this namespace."""
        rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{self.namespace}"
        bound = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": role},
            "subjects": [{"kind": "ServiceAccount", "name": "viewer", "namespace": self.namespace}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
        }
        self.ask("POST", f"{rbac}/rolebindings", bound)

    def describe(self) -> str:
        """Say how the pods are, for a test that fails."""
        shown = [f"{pod['metadata']['name']}: {json.dumps(pod['status'])[:400]}" for pod in self.pods()]
        return "\n".join(shown) or f"no pods in {self.namespace}"


def _measure(resource: str, value: str) -> dict[str, Any]:
    return {
        "type": "Resource",
        "resource": {"name": resource, "target": {"type": "AverageValue", "averageValue": value}},
    }


def answered_by(url: str) -> str:
    """Return the name of the pod that answers, or an empty text."""
    try:
        with urlopen(url, timeout=2) as answer:
            return str(json.load(answer)["pod"])
    except (URLError, OSError, ValueError):
        return ""
