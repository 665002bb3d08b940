"""Where we take hold of Locust's main without changing it. Load child only: imports locust."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TextIO

from locust import argument_parser
from locust.event import EventHook


class AfterInit:
    """Locust's ``init`` event, and what follows when all its listeners are done."""

    def __init__(self, then: Callable[..., None]) -> None:
        hook: Any = EventHook
        self._event: Any = hook()
        self._then = then

    def fire(self, **kwargs: Any) -> None:
        """Call every listener, and then ours."""
        self._event.fire(**kwargs)
        self._then(**kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._event, name)


class Masked:
    """A text stream that shows no secret."""

    def __init__(self, stream: TextIO, hidden: Sequence[str]) -> None:
        self._stream = stream
        self._hidden = hidden

    def write(self, text: str) -> int:
        """Write with every secret masked."""
        for secret in self._hidden:
            text = text.replace(secret, "***")
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def forget_config_files() -> None:
    """Let Locust's argument parsers read no file that lies about; they hold the list as a default of their parameters."""
    parsers: Any = argument_parser
    for function in (parsers.get_empty_argument_parser, parsers.get_parser):
        function.__defaults__ = tuple(
            () if value is parsers.DEFAULT_CONFIG_FILES else value for value in function.__defaults__
        )
