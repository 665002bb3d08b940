"""Container images without a registry: a folder as the one layer of an OCI archive, the same bytes each time."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from tests.cluster.machine.place import Place

PAUSE, APP = "localhost/gameday-pause:1", "localhost/gameday-app:1"
_OCI = "application/vnd.oci.image"


def make_images(place: Place) -> list[Path]:
    """Make the archives: the pods' pause, and the application (with busybox); keep those that are there."""
    folder = place.build / "images"
    folder.mkdir(exist_ok=True)
    pause, app = folder / "pause.tar", folder / "app.tar"
    if not app.exists():
        files = folder / "files"
        shutil.rmtree(files, ignore_errors=True)
        (files / "pause").mkdir(parents=True)
        shutil.copy(place.build / "bin" / "pause", files / "pause" / "pause")
        _write(PAUSE, files / "pause", {"Entrypoint": ["/pause"]}, pause)
        _fill_app(place, files / "app")
        _write(APP, files / "app", {"Entrypoint": ["/bin/app"], "Env": ["PATH=/bin"]}, app)
        shutil.rmtree(files)
    return [pause, app]


def _fill_app(place: Place, files: Path) -> None:
    for name in ("bin", "etc", "tmp", "proc", "sys", "dev"):
        (files / name).mkdir(parents=True)
    shutil.copy(place.build / "bin" / "app", files / "bin" / "app")
    busybox = place.build / "root" / "bin" / "busybox"
    shutil.copy(busybox, files / "bin" / "busybox")
    listed = subprocess.run([str(busybox), "--list"], capture_output=True, text=True, check=True).stdout.split()
    for applet in set(listed) - {"busybox", "app"}:
        (files / "bin" / applet).symlink_to("busybox")
    (files / "etc" / "passwd").write_text("root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n")


def _write(name: str, files: Path, config: dict[str, Any], archive: Path) -> None:
    blobs: dict[str, bytes] = {}

    def keep(kind: str, blob: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(blob).hexdigest()
        blobs[digest] = blob
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(blob)}

    layer = _layer(files)
    described: dict[str, Any] = {"architecture": _architecture(), "os": "linux", "config": config}
    described["rootfs"] = {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.manifest.v1+json",
        "config": keep(f"{_OCI}.config.v1+json", json.dumps(described).encode()),
        "layers": [keep(f"{_OCI}.layer.v1.tar+gzip", gzip.compress(layer, 1, mtime=0))],
    }
    entry = keep(f"{_OCI}.manifest.v1+json", json.dumps(manifest).encode())
    entry["annotations"] = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.split(":")[1]}
    index = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
    contents = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": index}
    contents |= {f"blobs/sha256/{digest}": blob for digest, blob in blobs.items()}
    with tarfile.open(archive, "w") as tar:
        for path, blob in contents.items():
            info = tarfile.TarInfo(path)
            info.size = len(blob)
            tar.addfile(info, io.BytesIO(blob))


def _layer(files: Path) -> bytes:
    def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.uid = info.gid = info.mtime = 0
        info.uname = info.gname = "root"
        return info

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in sorted(files.iterdir()):
            tar.add(path, arcname=path.name, filter=plain)
    return buffer.getvalue()


def _architecture() -> str:
    return subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
