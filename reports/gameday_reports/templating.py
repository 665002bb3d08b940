"""Pages from templates: everything is escaped and bounded in what it can do, whoever wrote it; the style sheets are ours."""

from __future__ import annotations

import hashlib
import pickle
import sys
from contextlib import suppress
from functools import cache
from importlib.resources import files
from importlib.util import cache_from_source
from pathlib import Path

from jinja2 import Environment, FileSystemBytecodeCache, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket

from gameday_reports.charts.svg import Svg
from gameday_reports.reading import visible


@cache
def stylesheet(*names: str) -> Svg:
    """Return style sheets, one line a rule, without comments; they are ours, and hold nothing of a run."""
    sources = [files("gameday_reports").joinpath(f"templates/{name}").read_text(encoding="utf-8") for name in names]
    lines = [line for source in sources for line in source.splitlines()]
    return Svg("\n".join(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("/*")))


class _Compiled(FileSystemBytecodeCache):
    """Compiled templates beside the templates, where and when Python keeps its own compiled modules.

    Each belongs to its source, to the version of Python, to what Jinja compiles to, and to this module, whose options are compiled in.
    """

    def __init__(self) -> None:
        here = Path(__file__)
        compiled = Path(cache_from_source(str(here.with_name("templates") / here.name)))
        options = hashlib.sha256(here.read_bytes()).hexdigest()[:12]
        super().__init__(str(compiled.parent), f"%s-{options}.jinja")

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take one that is there and whole."""
        try:
            super().load_bytecode(bucket)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep one where that is wanted and possible: it saves time, and nothing depends on it."""
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                Path(self.directory).mkdir(parents=True, exist_ok=True)
                super().dump_bytecode(bucket)


@cache
def environment() -> Environment:
    """Return the one way to fill a template."""
    return Environment(
        bytecode_cache=_Compiled(),
        autoescape=True,  # select_autoescape() would not escape *.html.j2
        undefined=StrictUndefined,
        finalize=_finalize,
        loader=PackageLoader("gameday_reports"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _finalize(value: object) -> object:
    """Take the power from every text that is not markup of ours, before it is escaped."""
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
