"""Which policies apply to an experiment: those beside it and above it, the user's machine's, and one that the environment names.

All that are found apply together: one that is nearer cannot allow what another refuses.
"""

from __future__ import annotations

import os
from pathlib import Path

from gameday.policy.file import FILE, Policy, PolicyError, read_policy

MACHINE = Path("/etc/gameday") / FILE
VARIABLE = "GAMEDAY_POLICY"
"""Of the environment: the path of one more policy file, which must be there."""


def find_policies(experiment: Path) -> tuple[Policy, ...]:
    """Read every policy that applies to an experiment file, the nearest first; raise PolicyError when one cannot be read."""
    folders = experiment.absolute().resolve().parents
    paths = [folder / FILE for folder in folders if (folder / FILE).is_file()]
    if MACHINE.is_file():
        paths.append(MACHINE)
    if named := os.environ.get(VARIABLE, ""):
        path = Path(named)
        if not path.is_file():
            raise PolicyError(f"{VARIABLE} names {path}, which is no file", hint=f"correct it, or unset {VARIABLE}")
        paths.append(path.resolve())
    return tuple(read_policy(path) for path in dict.fromkeys(paths))
