"""Which API server a context of a kubeconfig leads to: read, never contacted, because a context is only a name that anybody can give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gameday.schema.errors import ExperimentErrors
from gameday.schema.nodes import as_list, as_mapping, plain
from gameday.schema.yamlfile import parse, read_bytes


def server_of(kubeconfig: str, context: str) -> str:
    """Return the URL of the API server, without a slash at its end; empty where the file does not say."""
    try:
        path = Path(kubeconfig).expanduser()
        document = parse(str(path), read_bytes(path))
    except (ExperimentErrors, OSError, RuntimeError, ValueError):
        return ""
    if document.errors:
        return ""
    raw = as_mapping(plain(document.root))
    cluster = as_mapping(_named(raw, "contexts", context).get("context")).get("cluster")
    server = as_mapping(_named(raw, "clusters", str(cluster)).get("cluster")).get("server")
    return str(server or "").rstrip("/")


def _named(raw: dict[str, Any], section: str, name: str) -> dict[str, Any]:
    """Return the one entry of that name; nothing where there are several, of which a client would take any."""
    found = [entry for entry in map(as_mapping, as_list(raw.get(section))) if entry.get("name") == name]
    return found[0] if len(found) == 1 else {}
