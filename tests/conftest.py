"""A server or browser that is missing skips its tests with the install command; in CI that is a failure."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator

import pytest

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # begun in the background of a shell: no program of a test could be interrupted
    signal.signal(signal.SIGINT, signal.default_int_handler)

IN_CI = os.environ.get("CI", "").lower() in ("1", "true")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip that names an install command into a failure where everything must be installed."""
    report = yield
    if IN_CI and report.skipped and isinstance(report.longrepr, tuple) and "apt-get install" in report.longrepr[2]:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped in CI: {report.longrepr[2]}"
    return report
