"""The command lines of the shipped experiments on Kubernetes, as their comments have them."""

from __future__ import annotations

import re
import shlex

from tests.cluster.real import Shop
from tests.harness import ROOT

FOLDER = ROOT / "experiments/kubernetes"
SHORT = {"baseline": "4s", "fault": "7s", "recovery": "9s"}
_COMMAND = re.compile(r"^#   gameday (run experiments/\S+(?:.*\\\n#)*.*)$", re.MULTILINE)


def words_of(name: str, shop: Shop, url: str, **variables: str) -> list[str]:
    """Take the command line of an experiment's comment, with values of here for its variables; shorter, and others, at its end."""
    (said,) = _COMMAND.findall((FOLDER / f"{name}.yaml").read_text())
    verb, file, *rest = shlex.split(said.replace("\\\n#", " "))
    assert set(rest[::2]) == {"--var"}
    assert [word.partition("=")[0] for word in rest[1::2]] == ["kubeconfig", "context", "namespace", "app", "base_url"]
    values = {**shop.where, "app": "web", "base_url": url, **SHORT, **variables}
    return [verb, str(ROOT / file), *(word for key, value in values.items() for word in ("--var", f"{key}={value}"))]
