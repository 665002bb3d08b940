"""Read JSON that others wrote without trusting it: the readers that everything shares, for renderings."""

from __future__ import annotations

from gameday.spi.reading import LINE, PARAGRAPH, bounded, number, part, parts, text, texts, visible

__all__ = ["LINE", "PARAGRAPH", "bounded", "number", "part", "parts", "text", "texts", "visible"]
