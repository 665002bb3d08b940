"""The language of ``check:``; the http driver reads it too, so it lives in gameday.spi."""

from gameday.spi.checks import Check, CheckOperator, Scalar, Subject, parse_check

__all__ = ["Check", "CheckOperator", "Scalar", "Subject", "parse_check"]
