"""What the control port says no with."""

from __future__ import annotations


class RefusedError(Exception):
    """A request that cannot be granted, with the HTTP status that says why."""

    def __init__(self, status: int, message: str, *, plain: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.plain = plain
        """Said in plain text, as Toxiproxy's HTTP library says it."""
