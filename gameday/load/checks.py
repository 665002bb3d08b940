"""Whether an answer meets the checks of its request; the http driver asks the same, so it lives in gameday.spi."""

from gameday.spi.checks import Answer, failed_check, holds

__all__ = ["Answer", "failed_check", "holds"]
