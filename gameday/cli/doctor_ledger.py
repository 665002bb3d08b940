"""What ``gameday doctor`` says of the ledger: whether the runs of this machine could be noted."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.cli.machine import Finding

_PATIENCE = 5.0
_NAME = "ledger"


def look_at_ledger() -> Iterator[Finding]:
    """Yield a finding where a ledger is configured; no run needs one."""
    from gameday.gamedays.ledger.address import LedgerError, NoLedgerError, configured, find_ledger  # noqa: PLC0415 - heavy

    if not configured():
        return
    try:
        from gameday.gamedays.ledger.store import Store  # noqa: PLC0415 - heavy

        address = find_ledger()
        Store.open(address, make=False, patience=_PATIENCE).close()
    except NoLedgerError as error:
        yield Finding(name=_NAME, state="ok", says=f"{error}; the next run makes it")
    except LedgerError as error:
        yield Finding(name=_NAME, state="weak", says=f"runs are not noted: {error}", fix=error.hint)
    else:
        yield Finding(name=_NAME, state="ok", says=f"runs are noted in {address.shown}")
