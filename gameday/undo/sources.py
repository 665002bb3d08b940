"""The sources of a file with their secrets put in, as probes see them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gameday.schema.source import SourceSpec
from gameday.spi import Secrets, Source


def resolve(sources: Mapping[str, SourceSpec], known: Secrets, base: Path) -> dict[str, Source]:
    """Return the sources by name; paths count from ``base``. Raises DriverError that names a secret which is not set."""
    return {
        name: Source(
            name=name,
            kind=spec.kind or name,
            url=known.reveal(spec.url).rstrip("/"),
            token=known.reveal(spec.token or ""),
            user=known.reveal(spec.user or ""),
            password=known.reveal(spec.password or ""),
            ca=str(base / spec.ca) if spec.ca else "",
        )
        for name, spec in sources.items()
    }
