"""A small Kubernetes API in this process: real HTTP on loopback, its answers pinned by a recording of a real server."""

from tests.fakes.kube.cluster import FakeKube
from tests.fakes.kube.errors import ApiError

__all__ = ["ApiError", "FakeKube"]
