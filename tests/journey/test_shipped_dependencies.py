"""Every shipped experiment on a dependency ends as the comment on its first lines says, passing and failing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journey.shipped import keeps_its_promise, promises

pytestmark = [pytest.mark.long, pytest.mark.timeout(420)]


@pytest.mark.parametrize(("command", "word"), promises("dependency"))
def test_ends_as_its_comment_says(command: str, word: str, tmp_path: Path) -> None:
    keeps_its_promise(command, word, tmp_path)
