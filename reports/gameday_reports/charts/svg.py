"""Write SVG elements as text: every attribute and text escaped, numbers short, colours in presentation attributes only."""

from __future__ import annotations

from xml.sax.saxutils import escape

from gameday_reports.reading import visible


class Svg(str):
    """Markup of ours, already escaped; a template puts it in as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        """Tell an autoescaping template that nothing is left to escape."""
        return str(self)


def short(value: float) -> str:
    """Write a coordinate with at most one decimal."""
    written = f"{value:.1f}"
    return "0" if written == "-0.0" else written.removesuffix(".0")


def attribute(value: object) -> str:
    """Escape an attribute's value."""
    return escape(short(value) if isinstance(value, float) else visible(str(value)), {'"': "&quot;"})


def element(tag: str, *children: str, **attributes: object) -> Svg:
    """Write one element: children that are plain ``str`` are escaped, ``Svg`` are not; None attributes are left out.

    ``class_`` is ``class`` and ``text_anchor`` is ``text-anchor``.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{attribute(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    inside = "".join(child if isinstance(child, Svg) else escape(visible(child)) for child in children)
    return Svg(f"<{tag}{written}>{inside}</{tag}>" if children else f"<{tag}{written}/>")


def joined(*pieces: str) -> Svg:
    """Join pieces that are already escaped."""
    return Svg("".join(pieces))
