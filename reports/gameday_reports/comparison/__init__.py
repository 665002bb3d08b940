"""Two runs of one experiment beside each other: what differs in them, what they came to, and which findings are new or gone.

Pure, and shown only: nothing here judges. ``compare`` gives the view that ``gameday compare`` and the HTML report's comparison render.
"""

from gameday_reports.comparison.compare import Change, Comparison, Row, compare
from gameday_reports.comparison.interval import METHOD, newcombe
from gameday_reports.comparison.sides import Side, side_of, side_of_previous
from gameday_reports.comparison.statuses import FindingStatus, GoodNews, Statuses, statuses

__all__ = [
    "METHOD",
    "Change",
    "Comparison",
    "FindingStatus",
    "GoodNews",
    "Row",
    "Side",
    "Statuses",
    "compare",
    "newcombe",
    "side_of",
    "side_of_previous",
    "statuses",
]
