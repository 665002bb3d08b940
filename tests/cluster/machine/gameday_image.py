"""The image of gameday itself, by the Containerfile that ships: built where nothing but Debian's packages is, and brought to the nodes."""

from __future__ import annotations

import ast
import configparser
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.machine.place import HERE, NODES, ROOT, ClusterError, Place

NAME = "localhost/gameday"
CERTIFICATES = Path("/etc/ssl/certs")
_SOURCES = (
    "pyproject.toml",
    "README.md",
    "LICENSE",
    ".dockerignore",
    "gameday",
    "drivers",
    "reports",
    "experiments",
    "deploy",
)


def build_image(place: Place) -> tuple[str, Path]:
    """Build the image of the checkout as it is now, unless it is there; return its name and its archive, or raise ClusterError."""
    recipe = hashlib.sha256((HERE / "image.sh").read_bytes()).hexdigest()[:12]
    key = _key()
    home = place.home / f"image-{recipe}"
    name, archive = f"{NAME}:{key}", home / f"{key}.tar"
    if not archive.exists():
        home.mkdir(parents=True, exist_ok=True)
        for old in home.glob("*.tar"):
            old.unlink()
        _build(home, archive, name)
    return name, archive


def image_of(place: Place) -> str:
    """Return the image of the checkout as it is now, on every node; ClusterError when it cannot be built."""
    name, archive = build_image(place)
    for node in NODES:
        ctr = ["ctr", "-a", str(place.run / node / "containerd.sock"), "-n", "k8s.io", "images"]
        there = subprocess.run(
            [*ctr, "ls", "-q"], env=place.environment(), capture_output=True, text=True, check=True
        ).stdout
        if name not in there.split():
            subprocess.run([*ctr, "import", str(archive)], env=place.environment(), capture_output=True, check=True)
    return name


def _build(home: Path, archive: Path, name: str) -> None:
    pip = home / "pip.conf"
    volumes = [f"--volume={folder}:{folder}:ro" for folder in _write_pip(pip)]
    words = ["bash", str(HERE / "image.sh"), str(home), str(ROOT), str(archive), name, str(pip), *volumes]
    done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise ClusterError(f"the image could not be built: {(done.stdout + done.stderr)[-3000:]}")


def _write_pip(path: Path) -> list[Path]:
    """Write what pip of this machine is told, for the one in the image; return the folders that it is told of."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    said = {key.rpartition(".")[2]: str(ast.literal_eval(value)) for key, _, value in
            (line.partition("=") for line in listed.stdout.splitlines())}  # fmt: skip
    config = configparser.ConfigParser(interpolation=None)
    config["global"] = said
    with path.open("w") as file:
        config.write(file)
    folders = {Path(word) for word in re.findall(r"(?<![\w.:/])/[^\s:]+", " ".join(said.values()))}
    folders |= {Path(word).parent for word in re.findall(r"file://(/\S+)", " ".join(said.values()))}
    return sorted({CERTIFICATES, *folders} & {folder for folder in {CERTIFICATES, *folders} if folder.is_dir()})


def _key() -> str:
    digest = hashlib.sha256()
    for path in _files():
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _files() -> Iterator[Path]:
    for name in _SOURCES:
        top = ROOT / name
        found = [top] if top.is_file() else top.rglob("*")
        yield from sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)
