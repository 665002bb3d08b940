"""The findings ledger: what runs found, followed through all of them, and what people promised to do about it.

Only facts are stored: what each run came to, what it found, what it cost, and what people said. What is open, closed or overdue is a
pure function of them, in the order in which the runs began, so that no order of imports and no lost writer can change it.
"""
