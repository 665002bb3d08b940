"""In a real browser: the page fits 390 and 1280 px, runs nothing, breaks no policy and asks the network for nothing.

Needs Debian's chromium: ``apt-get install -y chromium``.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gameday_reports.html import HtmlReport
from tests.fakes.sample_run import OUTCOMES, Outcome, sample_run
from tests.unit.test_report_html import HOSTILE, spoilt_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: apt-get install -y chromium"),
    pytest.mark.timeout(120),
]

MEASURE = """<!doctype html><body>%s<pre id=found></pre><script>
addEventListener("load", () => {
  const found = [...document.querySelectorAll("iframe")].map(frame => {
    const page = frame.contentDocument, root = page.documentElement;
    const seen = element => { const r = element.getBoundingClientRect(); return r.width > 0 && r.height > 0; };
    return {
      wide: root.scrollWidth - root.clientWidth,
      scripts: page.scripts.length,
      foreign: page.querySelectorAll("img,iframe,object,embed,link,base,form,video,audio").length,
      sections: [...page.querySelectorAll("section")].filter(seen).length,
      charts: [...page.querySelectorAll("svg.chart")].filter(seen).length,
      word: page.querySelector(".verdict .word").getBoundingClientRect().right,
      frame: root.clientWidth,
      widest: [...page.querySelectorAll("body *")]
        .filter(e => !e.closest(".scroll,.charts,nav") && e.getBoundingClientRect().right > root.clientWidth + 1)
        .map(e => e.tagName + "." + e.getAttribute("class")).slice(0, 5),
      ran: frame.contentWindow.ran === undefined ? "nothing" : "something",
    };
  });
  document.getElementById("found").textContent = JSON.stringify(found);
});
</script>"""


def chromium(page: Path, folder: Path, *arguments: str) -> str:
    assert CHROMIUM is not None
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={folder / 'profile'}",
        "--disable-background-networking", "--disable-component-update", "--no-first-run", *arguments, page.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=100).stdout


def measured(report: bytes, folder: Path) -> list[dict[str, object]]:
    frames = "".join(
        f'<iframe width="{width}" height="900" srcdoc="{html.escape(report.decode(), quote=True)}"></iframe>'
        for width in (390, 1280)
    )
    page = folder / "measure.html"
    page.write_text(MEASURE % frames, encoding="utf-8")
    dumped = chromium(page, folder, "--dump-dom", "--virtual-time-budget=5000")
    found = re.search(r'<pre id="found">(.*?)</pre>', dumped, re.DOTALL)
    assert found, dumped[-2_000:]
    result: list[dict[str, object]] = json.loads(html.unescape(found[1]))
    return result


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_it_fits_a_phone_and_a_desk(outcome: Outcome, tmp_path: Path) -> None:
    for found in measured(HtmlReport().render(sample_run(outcome)), tmp_path):
        assert found["wide"] == 0, found["widest"]
        assert found["scripts"] == 0
        assert found["foreign"] == 0
        assert found["sections"] == 9
        assert isinstance(found["charts"], int)
        assert found["charts"] >= 4
        assert float(str(found["word"])) <= float(str(found["frame"]))


def test_hostile_text_in_every_field_runs_nothing_and_fits(tmp_path: Path) -> None:
    for found in measured(
        HtmlReport().render(spoilt_run(" ".join(HOSTILE[:9]).replace("alert(1)", "parent.ran=window.ran=1"))), tmp_path
    ):
        assert (found["scripts"], found["foreign"], found["ran"]) == (0, 0, "nothing")
        assert found["sections"] == 9
        assert found["wide"] == 0, found["widest"]


def test_it_opens_from_a_file_without_a_request_or_a_complaint(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_bytes(HtmlReport().render(sample_run("dirty")))
    log, net = tmp_path / "console.log", tmp_path / "net.json"
    dumped = chromium(page, tmp_path, "--dump-dom", "--enable-logging", f"--log-file={log}", f"--log-net-log={net}")
    assert "DIRTY: a fault may still be on" in dumped
    assert "CONSOLE" not in log.read_text(encoding="utf-8", errors="replace")
    asked = set(re.findall(r'"url":"((?:https?|ws|ftp):[^"]+)"', net.read_text(encoding="utf-8", errors="replace")))
    assert {url for url in asked if "example.com" in url or "127.0.0.1" in url} == set()
