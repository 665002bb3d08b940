"""The cluster's certificates, tokens and kubeconfigs: made anew at every start, kept only in its own folder."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
from pathlib import Path

from tests.cluster.machine.place import Place

NAME = "gameday-cluster"
_NAMES = "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.96.0.1,IP:10.200.0.1"
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def make_credentials(place: Place, outside: int) -> None:
    """Write ``pki/`` and ``kubeconfig`` for the loopback port ``outside``, and ``components`` for inside; both have all rights."""
    pki = place.run / "pki"
    pki.mkdir(mode=0o700)
    (pki / "names").write_text(f"subjectAltName={_NAMES}\n")
    for words in (
        ("req", "-x509", *_KEY, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=gameday-cluster", "-days", "30"),
        ("req", *_KEY, "-keyout", "api.key", "-out", "api.csr", "-subj", "/CN=kube-apiserver"),
        ("x509", "-req", "-in", "api.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", "api.crt",
         "-days", "30", "-extfile", "names"),
        ("genrsa", "-out", "sa.key", "2048"),
        ("rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub"),
    ):  # fmt: skip
        subprocess.run(["openssl", *words], cwd=pki, check=True, capture_output=True)
    token = secrets.token_hex(16)
    _private(pki / "tokens.csv", f'{token},admin,admin,"system:masters"\n')
    authority = base64.b64encode((pki / "ca.crt").read_bytes()).decode()
    for file, port in (("kubeconfig", outside), ("components", 6443)):
        _private(place.run / file, kubeconfig(f"https://127.0.0.1:{port}", authority, token))


def kubeconfig(server: str, authority: str, token: str) -> str:
    """Return a kubeconfig of one context; ``authority`` is a certificate in base64."""
    cluster = {"server": server, "certificate-authority-data": authority}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": cluster}],
        "users": [{"name": NAME, "user": {"token": token}}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        "current-context": NAME,
    }
    return json.dumps(config, indent=1)


def _private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
