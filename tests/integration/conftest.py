"""The cluster that most tests of Kubernetes faults begin with; those that need another one have a fixture of that name themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.kube import FakeKube
from tests.fakes.kube.family import Where
from tests.fakes.kube.world import furnished, inside


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with furnished() as kube:
        yield kube


@pytest.fixture
def where(kube: FakeKube, tmp_path: Path) -> Where:
    return inside(kube, tmp_path)
