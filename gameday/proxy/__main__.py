"""``python -m gameday.proxy``: read the configuration from stdin, say on stdout that it is ready, serve until the end."""

from __future__ import annotations

import sys

from gameday.proxy.life import main

if __name__ == "__main__":
    sys.exit(main())
