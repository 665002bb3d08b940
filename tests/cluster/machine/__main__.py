"""``python -m tests.cluster.machine build | image | up | down | status``."""

from __future__ import annotations

import json
import os
import sys
import time

from tests.cluster.machine import checks, control, gameday_image, kind, walls
from tests.cluster.machine.place import ClusterError, the_place


def main(verb: str) -> None:
    """Do one of them; what is missing is said in one sentence, with exit code 1."""
    place = the_place()
    began = time.monotonic()
    if checks.uses_docker():
        kind.do(verb, place)
        return
    if verb in ("build", "up"):
        checks.require(place, user=os.geteuid())
        control.build(place)
    if verb == "image":
        print(f"cluster: gameday's image is {gameday_image.build_image(place)[0]}")
    if verb == "up":
        control.up(place)
        print(
            f"cluster: up in {time.monotonic() - began:.0f} s; export KUBECONFIG={place.run}/kubeconfig; `make cluster-down` ends it"
        )
    elif verb == "down":
        control.down(place)
        print(f"cluster: down in {time.monotonic() - began:.1f} s")
    elif verb == "status":
        print(json.dumps({**(place.state() or {}), "running": control.is_running(place), "peak": walls.peak_memory()}))


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("build", "image", "up", "down", "status"):
        sys.exit(str(__doc__))
    try:
        main(sys.argv[1])
    except ClusterError as error:
        sys.exit(f"cluster: {error}")
