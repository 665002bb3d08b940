"""The manifests of deploy/kubernetes, made those of a test as their comments say, rendered as kustomize does, and applied.

Where a kubectl is at hand that knows folders as resources (from 1.21 on), it renders, too, and both must come to the same.
"""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.cluster.real import Shop
from tests.harness import ROOT

FOLDER = ROOT / "deploy/kubernetes"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_PATHS = {
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "Role": f"{_RBAC}/namespaces/{{}}/roles",
    "RoleBinding": f"{_RBAC}/namespaces/{{}}/rolebindings",
    "ClusterRole": f"{_RBAC}/clusterroles",
    "ClusterRoleBinding": f"{_RBAC}/clusterrolebindings",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
}
_HASH = re.compile(r"-[a-z0-9]{10}$")


def read(text: str) -> list[dict[str, Any]]:
    """Read a stream of YAML documents."""
    return [found for found in importlib.import_module("yaml").safe_load_all(text) if found]


def ours(folder: Path, namespace: str, image: str, experiment: str) -> Path:
    """Copy the manifests and change what they tell their user to change; return the folder ``once``."""
    copy = shutil.copytree(FOLDER, folder / "kubernetes")
    name, _, tag = image.rpartition(":")
    changes: Mapping[str, Mapping[str, str]] = {
        "once/kustomization.yaml": {
            "namespace: shop": f"namespace: {namespace}",
            "registry.example.com/gameday": name,
            '"0.1.0"': f'"{tag}"',
        },
        "recover/cluster-role-binding.yaml": {"namespace: shop}": f"namespace: {namespace}}}"},
        "recover/cron-job.yaml": {"--namespace, shop]": f"--namespace, {namespace}]"},
    }
    for file, words in changes.items():
        path = copy / file
        text = path.read_text()
        for before, after in words.items():
            assert text.count(before) == 1, (file, before)
            text = text.replace(before, after)
        path.write_text(text)
    (copy / "once/experiment.yaml").write_text(experiment)
    return copy / "once"


def rendered(folder: Path) -> list[dict[str, Any]]:
    """Render a kustomization by the fields that ours have; checked against kubectl where there is one that can."""
    found = list(_resources(folder))
    (said,) = read((folder / "kustomization.yaml").read_text())
    for document in found:
        if not document["kind"].startswith("Cluster"):
            document["metadata"]["namespace"] = said["namespace"]
        for subject in document.get("subjects", ()):
            subject.setdefault("namespace", said["namespace"])
        for container in _containers(document):
            for image in said["images"]:
                if container["image"] == image["name"]:
                    container["image"] = f"{image['newName']}:{image['newTag']}"
    kubectl = _kubectl(folder)
    assert kubectl is None or _sorted(kubectl) == _sorted(found)
    return found


def _resources(folder: Path) -> Iterator[dict[str, Any]]:
    (said,) = read((folder / "kustomization.yaml").read_text())
    for name in said["resources"]:
        path = (folder / name).resolve()
        yield from _resources(path) if path.is_dir() else read(path.read_text())
    for made in said.get("configMapGenerator", ()):
        data = {name: (folder / name).read_text() for name in made["files"]}
        yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": made["name"]}, "data": data}


def _containers(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    spec = document.get("spec", {})
    spec = spec.get("jobTemplate", {}).get("spec", spec)
    return list(spec.get("template", {}).get("spec", {}).get("containers", ()))


def _kubectl(folder: Path) -> list[dict[str, Any]] | None:
    """Render by kubectl, its hashes in names taken off; None where there is no kubectl, or an older one."""
    if shutil.which("kubectl") is None:
        return None
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False)
    if "must be a file" in done.stderr:
        return None
    assert done.returncode == 0, done.stderr
    found = read(done.stdout)
    hashed = {one["metadata"]["name"] for one in found if one["kind"] == "ConfigMap"}
    text = json.dumps(found)
    for name in hashed:
        text = text.replace(f'"{name}"', f'"{_HASH.sub("", name)}"')
    return list(json.loads(text))


def _sorted(documents: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(document, sort_keys=True) for document in documents)


def create(shop: Shop, document: dict[str, Any]) -> None:
    """Make one of them in the cluster; a CronJob in the version that the server knows."""
    kind = document["kind"]
    if kind != "CronJob":
        shop.ask("POST", _PATHS[kind].format(shop.namespace), document)
        return
    known = {one["name"] for one in shop.ask("GET", "/apis/batch/v1")["resources"]}
    version = "v1" if "cronjobs" in known else "v1beta1"
    path = f"/apis/batch/{version}/namespaces/{shop.namespace}/cronjobs"
    shop.ask("POST", path, {**document, "apiVersion": f"batch/{version}"})


def remove_clusterwide(shop: Shop, documents: list[dict[str, Any]]) -> None:
    """Delete what is in no namespace, and so does not go with it."""
    for document in documents:
        if document["kind"].startswith("Cluster"):
            path = f"{_PATHS[document['kind']]}/{document['metadata']['name']}"
            if shop.finds(path):
                shop.ask("DELETE", path)
