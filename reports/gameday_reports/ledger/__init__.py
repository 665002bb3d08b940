"""The findings of a ledger, in forms for people, spreadsheets, programs and GitHub; one module each."""
