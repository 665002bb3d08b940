"""The embedded system: a small shop of four processes that talk HTTP, to break on purpose.

    front ── GET /products ──→ catalog
      │──── POST /charges ───→ payments ←──┐
      └──── POST /jobs ──────→ worker ─────┘   (the fallback: pay later)

It imports nothing else of ours. Each part is a program: ``python -m gameday.shop.front --help``.
"""
