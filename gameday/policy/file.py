"""The policy file's shape: environments, recognised by the hosts that a run touches, and the rules of each."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from gameday.schema.fields import Abort, Argument, Line, Name, Url
from gameday.schema.marks import Mistake
from gameday.schema.quantities import parse_percent
from gameday.schema.section import InvalidError, Section, key
from gameday.schema.source import SourceSpec
from gameday.schema.units import PositiveDuration
from gameday.schema.windows import check_clock, check_days, check_moment, check_zone
from gameday.spi.errors import GamedayError

FILE = "gameday.toml"
MAX_BYTES = 1 << 20


class PolicyError(GamedayError):
    """A policy cannot be read, so that nothing may run under it."""


class Window(Section):
    """When runs are allowed: on these days, from one time of day to another, in one time zone."""

    days: Line = key(default="mon-sun", description="mon-thu, or mon,wed,fri", examples=["mon-thu"])
    from_: Line = key(default="00:00", alias="from", description="time of day", examples=["10:00"])
    to: Line = key(default="24:00", description="time of day, not included", examples=["15:00"])
    timezone: Line = key(default="UTC", description="a name of the time zone database", examples=["Europe/London"])

    def agree(self) -> None:
        """Raise ValueError when it can never be open, or names what does not exist."""
        check_days(self.days)
        check_zone(self.timezone)
        if check_clock(self.from_) >= check_clock(self.to):
            raise ValueError(f"{self.to} is not after {self.from_}; write two windows for a night")


class Blackout(Section):
    """When nothing may run, whatever windows say."""

    from_: Line = key(alias="from", description="a day or a moment", examples=["2026-12-15", "2026-12-31T18:00"])
    to: Line = key(description="not included", examples=["2027-01-05"])
    timezone: Line = key(default="UTC", description="a name of the time zone database")

    def agree(self) -> None:
        """Raise ValueError when it is never, or names what does not exist."""
        check_zone(self.timezone)
        if check_moment(self.from_, self.timezone) >= check_moment(self.to, self.timezone):
            raise ValueError(f"{self.to} is not after {self.from_}")


class Clusters(Section):
    """A cluster, or a part of it, that belongs to an environment."""

    context: Line = key(description="name or pattern of the context in a kubeconfig", examples=["staging"])
    server: Url | None = key(
        default=None, description="its API server; a context is only a name", examples=["https://k8s.example.com:6443"]
    )
    namespaces: tuple[Line, ...] = key(default=(), description="names or patterns", examples=[["shop", "payments-*"]])
    cluster_scoped: bool = key(
        default=False, description="faults on what is in no namespace, like nodes, are of it, too"
    )

    @property
    def whole(self) -> bool:
        """Whether what is in no namespace belongs to the environment, too."""
        return self.cluster_scoped or "*" in self.namespaces

    def agree(self) -> None:
        """Raise ValueError when nothing is of it."""
        if not self.namespaces and not self.cluster_scoped:
            raise ValueError('has no namespaces; write namespaces = ["shop"], or cluster_scoped = true')


class ErrorBudget(Section):
    """What must be left of an SLO's error budget before anything may cost more of it."""

    slo: Argument = key(description="an OpenSLO document, beside the policy", examples=["slo/checkout.yaml"])
    at_least: Line = key(description="share of the budget", examples=["25%"])
    source: Line | None = key(default=None, description="a name under sources, where there are several")

    @property
    def least(self) -> float:
        """The share, from 0 to 1."""
        return parse_percent(self.at_least)

    def agree(self) -> None:
        """Raise ValueError when it is no share."""
        if not 0 < self.least <= 1:
            raise ValueError("at_least is from above 0% to 100%")


class Environment(Section):
    """One environment: how it is recognised, and what may be done to it."""

    hosts: tuple[Line, ...] = key(
        default=(), description="names or patterns; here, or kubernetes", examples=[["*.staging.example.com"]]
    )
    kubernetes: tuple[Clusters, ...] = key(default=(), description="its clusters and their namespaces")
    allow: tuple[Line, ...] = key(default=("*",), description="drivers that may be used", examples=[["proxy.*"]])
    deny: tuple[Line, ...] = key(default=(), description="drivers that may not, whatever allow says")
    deny_hosts: tuple[Line, ...] = key(default=(), description="hosts of it that nothing may touch")
    deny_namespaces: tuple[Line, ...] = key(default=(), description="namespaces of it that nothing may touch")
    deny_targets: tuple[Line, ...] = key(default=(), description="targets, as plan prints them, that nothing may touch")
    max_duration: PositiveDuration | None = key(default=None, description="of the whole fault phase")
    max_targets: int | None = key(default=None, least=1, description="the most that one fault may touch")
    windows: tuple[Window, ...] = key(default=(), description="when runs are allowed; default: always")
    blackout: tuple[Blackout, ...] = key(default=(), description="when they are not")
    abort: tuple[Abort, ...] = key(default=(), description="abort rules that every run gets beside its own")
    approvals: int | None = key(default=None, least=1, most=10, description="how many people have to approve a run")
    approvers: Argument | None = key(
        default=None,
        description="allowed_signers file of ssh-keygen, beside this one",
        examples=["approvers.allowed_signers"],
    )
    revoked: Argument | None = key(
        default=None, description="keys that are revoked, as ssh-keygen -Y verify -r takes them"
    )
    error_budget: ErrorBudget | None = key(default=None, description="what must be left of an error budget")

    def agree(self) -> None:
        """Raise ValueError when it could not be recognised."""
        if not self.hosts and not self.kubernetes:
            raise ValueError("needs hosts or kubernetes: without them it is never recognised")
        if (self.approvals is None) != (self.approvers is None):
            raise ValueError("needs approvals and approvers together: how many, and who")
        if self.revoked is not None and self.approvers is None:
            raise ValueError("has revoked, which is for approvers")


class Rules(Section):
    """A whole policy file."""

    environments: dict[Name, Environment] = key(least=1, description="each under its name")
    sources: dict[Name, SourceSpec] = key(default={}, description="where error budgets are asked for: Prometheus")

    def agree(self) -> None:
        """Raise ValueError where somebody else could say who is asked."""
        for name, source in self.sources.items():
            if "${" in source.url:
                raise ValueError(
                    f"sources.{name}.url is part of the policy and no variable; only a token or password is"
                )
            if (source.kind or name) != "prometheus":
                raise ValueError(f'sources.{name} is of no known kind; write kind = "prometheus"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy that applies, and where it was found."""

    path: Path
    rules: Rules
    digest: str = ""
    """SHA-256 in hex of the file."""
    text: str = ""
    """The file, to find a key's line."""


def read_policy(path: Path) -> Policy:
    """Read one file; raise PolicyError with everything that is wrong with it."""
    import tomllib  # noqa: PLC0415 - only where there is a policy

    try:
        text = path.read_bytes()
        if len(text) > MAX_BYTES:
            raise PolicyError(f"{path} is larger than 1 MiB", hint="a policy is a few lines")
        said = text.decode("utf-8-sig")
        raw = tomllib.loads(said)
        return Policy(path=path, rules=Rules.model_validate(raw), digest=sha256(text).hexdigest(), text=said)
    except OSError as error:
        raise PolicyError(
            f"{path} cannot be read: {error.strerror}", hint="mend it; nothing runs without it"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PolicyError(f"{path} is not TOML: {error}", hint="mend it; nothing runs without it") from error
    except InvalidError as error:
        mistakes = "; ".join(map(_said, error.mistakes[:10]))
        raise PolicyError(f"{path}: {mistakes}", hint="mend it; nothing runs without it") from error


def _said(mistake: Mistake) -> str:
    place = ".".join(map(str, mistake.path))
    match mistake.kind:
        case "unknown":
            return f"unknown key {place}"
        case "missing":
            return f"missing key {place}"
        case _:
            return f"{place}: {mistake.said}"
