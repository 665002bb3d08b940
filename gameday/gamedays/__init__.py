"""The people side of a game day: agenda, roles, schedule, findings ledger."""
