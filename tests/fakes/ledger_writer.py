"""A writer that can be killed: notes pickled runs in $GAMEDAY_LEDGER, a line for each when it is in. It imports little, to start soon."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

from gameday.gamedays.ledger.address import find_ledger
from gameday.gamedays.ledger.book import record
from gameday.gamedays.ledger.facts import Read
from gameday.gamedays.ledger.store import Store


def main() -> None:
    reads: list[Read] = pickle.loads(Path(sys.argv[1]).read_bytes())
    store = Store.open(find_ledger())
    for read in reads:
        sys.stdout.write(f"{int(record(store, read))} {read.facts.run}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
