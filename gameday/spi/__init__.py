"""The extension interface: what a driver, a probe, a report or a load generator must provide, and what it is given."""

from gameday.spi.driver import Driver, Ends, Expires, Follows, Meets
from gameday.spi.errors import DriverError, GamedayError, LoadError, NoTargetError, ProbeError, QueryError, StaleError
from gameday.spi.notifier import Notice, Notifier, NotSentError
from gameday.spi.pages import Comparer, FindingsForm, Postmortem, SitePages
from gameday.spi.probe import Probe
from gameday.spi.recovery import Recovers, Recovery
from gameday.spi.report import Linked, OnRequest, Renderer, Together
from gameday.spi.source import Source
from gameday.spi.witness import Evidence, Line, Witness
from gameday.spi.world import ProxyRef, Secrets, World

__all__ = [
    "Comparer",
    "Driver",
    "DriverError",
    "Ends",
    "Evidence",
    "Expires",
    "FindingsForm",
    "Follows",
    "GamedayError",
    "Line",
    "Linked",
    "LoadError",
    "Meets",
    "NoTargetError",
    "NotSentError",
    "Notice",
    "Notifier",
    "OnRequest",
    "Postmortem",
    "Probe",
    "ProbeError",
    "ProxyRef",
    "QueryError",
    "Recovers",
    "Recovery",
    "Renderer",
    "Secrets",
    "SitePages",
    "Source",
    "StaleError",
    "Together",
    "Witness",
    "World",
]
