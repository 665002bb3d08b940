"""A rendered page, parsed strictly; and that nothing in it can act."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from gameday.model import Run
from gameday_reports.html import HtmlReport

TAGS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "a",
    "div",
    "h1",
    "h2",
    "h3",
    "h4",
    "figure",
    "p",
    "code",
    "bdi",
    "header",
    "nav",
    "ul",
    "ol",
    "li",
    "main",
    "section",
    "article",
    "span",
    "strong",
    "dl",
    "dt",
    "dd",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "pre",
    "details",
    "summary",
    "footer",
    "time",
    "svg",
    "desc",
    "g",
    "rect",
    "line",
    "path",
    "circle",
    "text",
}
VOID = {"meta", "link", "img", "input", "br", "hr", "base"}
LINKS = {
    "experiment.yaml",
    "plan.json",
    "journal.ndjson",
    "samples.ndjson",
    "verdict.json",
    "junit.xml",
    "previous.json",
}


class Page(HTMLParser):
    """A parsed page: its tags with attributes, its text, and the text below each id."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.below: dict[str, list[str]] = {}
        self.title = ""
        self._open: list[tuple[str, str]] = []
        self.feed(page.decode())
        self.close()
        assert [tag for tag, _ in self._open] == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append((tag, found))
        if tag not in VOID:
            self._open.append((tag, found.get("id", "")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if [tag for tag, _ in self._open] == ["html", "head", "title"]:
            self.title += data
        for tag, name in {*self._open}:
            if name or tag in ("body", "h1"):
                self.below.setdefault(name or tag, []).append(data)

    def text(self, name: str = "body") -> str:
        return re.sub(r"\s+", " ", " ".join(self.below.get(name, []))).strip()


def render(run: Run) -> Page:
    return Page(HtmlReport().render(run))


def assert_inert(page: bytes) -> None:
    """No tag and no attribute but ours, nothing that runs, nothing that loads."""
    found = Page(page)
    assert {tag for tag, _ in found.tags} <= TAGS
    assert sum(tag == "style" for tag, _ in found.tags) == 1
    for tag, attributes in found.tags:
        assert not any(
            name.startswith("on") or name in ("style", "src", "srcdoc", "xlink:href", "action", "formaction")
            for name in attributes
        )
        if "href" in attributes:
            href = attributes["href"]
            assert tag == "a"
            if "download" in attributes:
                assert re.fullmatch(r"data:text/csv;charset=utf-8;base64,[A-Za-z0-9+/]+=*", href)
                continue
            assert href.startswith("#") or href in LINKS or re.fullmatch(r"https?://[^\s\"'<>]+", href, re.IGNORECASE)
    lowered = page.lower()
    for word in (b"<script", b"style=", b"<img", b"<iframe", b"<link", b"<base", b"url(", b"@import"):
        assert word not in lowered
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", page)
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", page.decode())
