"""Linked assets under the policy that Jenkins sends with every artifact: the page is styled as the one with everything inside.

Needs Debian's chromium: ``apt-get install -y chromium``. The policy is Jenkins' default
(https://www.jenkins.io/doc/book/security/configuring-content-security-policy/).
"""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from gameday_reports.html import STYLE, HtmlReport
from tests.fakes.browser import CHROMIUM
from tests.fakes.sample_run import sample_run

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: apt-get install -y chromium"),
    pytest.mark.timeout(120),
]
JENKINS = "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self';"
MEASURE = """<!doctype html><body><iframe width="1280" height="900" src="report.html"></iframe><pre id=found></pre><script>
addEventListener("load", () => {
  const page = document.querySelector("iframe").contentDocument;
  const look = name => { const s = getComputedStyle(page.querySelector(name)); return [s.color, s.fontSize, s.display, s.padding]; };
  document.getElementById("found").textContent = JSON.stringify({
    sheets: page.styleSheets.length, body: look("body"), nav: look("nav li"), word: look(".verdict .word"), tile: look("main dl"),
  });
});
</script>"""


def chromium(address: str, folder: Path, *arguments: str) -> str:
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", *arguments, address]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=100).stdout


@contextmanager
def served(files: Mapping[str, bytes]) -> Generator[str]:
    """Serve these files as Jenkins does, and a page without a policy that measures them."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            body = MEASURE.encode() if name == "measure" else files.get(name)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Type", "text/css" if name.endswith(".css") else "text/html; charset=utf-8")
            if name != "measure":
                self.send_header("Content-Security-Policy", JENKINS)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the standard library
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/measure"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def look(files: Mapping[str, bytes], folder: Path) -> dict[str, Any]:
    folder.mkdir()
    with served(files) as address:
        dumped = chromium(address, folder, "--dump-dom", "--virtual-time-budget=5000")
    found = re.search(r'<pre id="found">(.*?)</pre>', dumped, re.DOTALL)
    assert found, dumped[-2_000:]
    result: dict[str, Any] = json.loads(html.unescape(found[1]))
    return result


def test_under_the_policy_of_jenkins_a_linked_page_looks_as_it_should(tmp_path: Path) -> None:
    run = sample_run("fail", baseline_s=6, fault_s=6, recovery_s=14)
    files = HtmlReport().render_linked(run)
    assert set(files) == {"report.html", STYLE}
    linked = look(files, tmp_path / "linked")
    bare = look({"report.html": HtmlReport().render(run)}, tmp_path / "inline")
    assert linked["sheets"] == 1
    assert linked["nav"] != bare["nav"], "the style sheet inside is refused there, which is what linked is for"
    page = files["report.html"].decode()
    assert not re.search(r"<style|\sstyle=|<script|src=|url\(|data:text", page)
    assert re.findall(r"<link[^>]*>", page) == ['<link rel="stylesheet" href="report.css">']
    assert HtmlReport().render_linked(run) == files


def test_it_is_styled_from_a_disk_too(tmp_path: Path) -> None:
    for name, data in HtmlReport().render_linked(sample_run("pass", baseline_s=4, fault_s=4, recovery_s=12)).items():
        (tmp_path / name).write_bytes(data)
    shot = tmp_path / "shot.png"
    chromium((tmp_path / "report.html").as_uri(), tmp_path, f"--screenshot={shot}", "--window-size=1280,900")
    (tmp_path / STYLE).write_bytes(b"")
    plain = tmp_path / "plain.png"
    chromium((tmp_path / "report.html").as_uri(), tmp_path, f"--screenshot={plain}", "--window-size=1280,900")
    assert shot.read_bytes() != plain.read_bytes()
