"""Pages from templates: everything is escaped and bounded in what it can do, whoever wrote it; the style sheets are ours."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from gameday_reports.charts.svg import Svg
from gameday_reports.reading import visible


@cache
def stylesheet(*names: str) -> Svg:
    """Return style sheets, one line a rule, without comments; they are ours, and hold nothing of a run."""
    sources = [files("gameday_reports").joinpath(f"templates/{name}").read_text(encoding="utf-8") for name in names]
    lines = [line for source in sources for line in source.splitlines()]
    return Svg("\n".join(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("/*")))


@cache
def environment() -> Environment:
    """Return the one way to fill a template."""
    return Environment(
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
