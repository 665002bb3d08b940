"""The embedded system: a small shop of processes that talk HTTP, to break on purpose.

    front ── GET /products ──→ catalog
      │──── POST /charges ───→ payments ←──┐
      └──── POST /jobs ──────→ worker ─────┘   (the fallback: pay later)
    webhooks ─ POST /charges ─→ payments           (what others report, passed on; dead letters are kept)

It imports nothing else of ours. Each part is a program: ``python -m gameday.shop.front --help``.
"""
