"""A real Chromium for tests of pages: Debian's, driven by Playwright, and the questions that every page of ours must answer.

    with chromium() as browser:
        with opened(browser, path, width=390) as page:
            assert page.outside() == [] …

Needs Debian's chromium: ``apt-get install -y chromium``. Nothing is downloaded.
"""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

Scheme = Literal["light", "dark"]
WIDTHS = (390, 1280)
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
A4 = 703
"""Pixels between the margins of a page of A4: 210 mm less twice 12 mm, at 96 dots an inch."""
_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
_CONTEXT = {"include": [["html"]], "exclude": [[".hit"]]}
"""Transparent bands under the pointer, inside charts with role img: no reader of a screen meets them, and there are hundreds."""
_OPTIONS = {"resultTypes": ["violations"]}
_TOO_WIDE = """width => [...document.querySelectorAll("body *")].filter(e => {
  const inside = e.closest(".scroll,.charts,nav") || (e.closest("details") && !e.closest("details").open);
  const box = e.getBoundingClientRect();
  return !inside && box.width > 0 && box.right > width + 1;
}).map(e => e.tagName + "." + (e.getAttribute("class") || "") + " " + Math.round(e.getBoundingClientRect().right)).slice(0, 8)"""
_CUT = """width => [...document.querySelectorAll("body *")].filter(e => {
  const box = e.getBoundingClientRect(), style = getComputedStyle(e);
  if (!box.width || !box.height || style.visibility === "hidden" || e.closest(".skip")) return false;
  const clips = style.overflowX !== "visible" && e.scrollWidth > e.clientWidth + 1 && !(e instanceof SVGElement);
  return box.right > width + 1 || clips;
}).map(e => e.tagName + "." + (e.getAttribute("class") || "") + " " + Math.round(e.getBoundingClientRect().right)).slice(0, 8)"""

_INSTALLED = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMIUM = str(Path(__file__).with_name("chromium.sh")) if _INSTALLED else None
"""The browser as tests start it; None where there is none."""


@contextmanager
def chromium() -> Generator[Browser]:
    """Start a browser of its own profile, and end it."""
    if CHROMIUM is None:
        pytest.skip("no browser: apt-get install -y chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass(slots=True)
class Opened:
    """A page that was opened, and everything that it asked for or complained about."""

    page: Page
    width: int
    asked: list[str] = field(default_factory=list[str])
    """Addresses that it requested, its own file first."""
    said: list[str] = field(default_factory=list[str])
    """Lines of its console: errors, and breaches of its content policy."""

    def show(self, width: int, scheme: Scheme = "light", media: Literal["screen", "print"] = "screen") -> None:
        """Show it on another screen, or on paper."""
        self.width = width
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(media=media, color_scheme=scheme)

    def unfold(self) -> None:
        """Open everything that is folded."""
        self.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")

    def violations(self) -> list[str]:
        """Ask axe-core what is not accessible."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
        ran: dict[str, Any] = self.page.evaluate(
            "([context, options]) => axe.run(context, options)", [_CONTEXT, _OPTIONS]
        )
        found: list[dict[str, Any]] = ran["violations"]
        return [
            f"{one['id']}: {node['target']} {node.get('failureSummary', '')}"
            for one in found
            for node in one["nodes"][:3]
        ]

    def too_wide(self) -> list[str]:
        """Return elements that reach beyond the screen, but for those that scroll by themselves, and the page where it scrolls sideways."""
        root = self.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        wide = [f"the page: {root[0]} of {root[1]}"] if root[0] > root[1] else []
        return [*wide, *self.page.evaluate(_TOO_WIDE, self.width)]

    def cut_off(self) -> list[str]:
        """Return elements that paper would cut off: beyond its edge, or with something to scroll to."""
        found: list[str] = self.page.evaluate(_CUT, self.width)
        return found

    def runs_a_script(self) -> bool:
        """Say whether a script that got into the page would run."""
        self.page.evaluate(
            "() => { const s = document.createElement('script'); s.textContent = 'window.got_in = 1'; document.body.append(s); }"
        )
        return bool(self.page.evaluate("window.got_in === 1"))


@contextmanager
def opened(browser: Browser, path: Path, *, width: int = 1280, scheme: Scheme = "light") -> Generator[Opened]:
    """Open a file, as a reader does."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    found = Opened(page=page, width=width)
    page.on("request", lambda request: found.asked.append(request.url))
    page.on("console", lambda message: found.said.append(message.text))
    page.on("pageerror", lambda error: found.said.append(str(error)))
    try:
        page.goto(path.resolve().as_uri())
        yield found
    finally:
        context.close()
