"""A page that an application's pods answer beside its own, at another port: 503 without the payments, or without its setting."""

from __future__ import annotations

from typing import Any

from tests.cluster.real import Shop

PORT = 8081
_PAGE = r"""#!/bin/sh
nc -w 1 "$PAYMENTS_SERVICE_HOST" 80 < /dev/null > /dev/null && [ -e /settings/LEVEL ] || printf 'Status: 503 Service Unavailable\r\n'
printf 'Content-Type: text/plain\r\nConnection: close\r\n\r\nwhole\n'
"""
"""By busybox's httpd, shell and nc (its wget does not survive here).

A pod knows the payments by the variable that it gets for each service which was there before it.
"""


def make_pages(shop: Shop, image: str) -> dict[str, Any]:
    """Make the ConfigMaps (pages, settings); return what the pods of a deployment are given beside their application."""
    for name, data in (("pages", {"index.cgi": _PAGE}), ("settings", {"LEVEL": "info", "COLOUR": "blue"})):
        shop.core.create_namespaced_config_map(shop.namespace, {"metadata": {"name": name}, "data": data})
    server = {
        "name": "pages",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/busybox", "httpd", "-f", "-p", str(PORT), "-h", "/pages"],
        "volumeMounts": [
            {"name": "pages", "mountPath": "/pages/cgi-bin"},
            {"name": "settings", "mountPath": "/settings"},
        ],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "100m", "memory": "16Mi"}, "limits": {"memory": "96Mi"}},
    }
    volumes = [
        {"name": "pages", "configMap": {"name": "pages", "defaultMode": 0o755}},
        {"name": "settings", "configMap": {"name": "settings"}},
    ]
    return {"containers": [server], "volumes": volumes}
