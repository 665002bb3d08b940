"""A proxy as files, flags and the control port describe it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from gameday.proxy.address import parse_address, parse_listen
from gameday.proxy.tls import TlsSettings

_KEYS = frozenset({"name", "listen", "upstream", "enabled", "tls"})
_TLS_TEXT = ("ca_cert", "ca_key", "ca_file", "upstream_ca", "upstream_name")
_TLS_KEYS = frozenset({"names", "upstream", *_TLS_TEXT})
_MOST_NAMES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySpec:
    """What a proxy is made of; addresses are checked when it is made."""

    name: str
    listen: str
    upstream: str
    enabled: bool = True
    tls: TlsSettings | None = None

    def same_way(self, other: ProxySpec) -> bool:
        """Whether both lead from the same address to the same address, in the same way."""
        return (self.listen, self.upstream, self.tls) == (other.listen, other.upstream, other.tls)


def read_spec(fields: dict[str, Any], *, strict: bool) -> ProxySpec:
    """Read a proxy from JSON; raise ValueError. ``strict`` refuses keys that are not known."""
    unknown = sorted(set(fields) - _KEYS) if strict else []
    if unknown:
        raise ValueError(f"a proxy has an unknown key {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}")
    enabled = True if fields.get("enabled") is None else fields["enabled"]
    if not isinstance(enabled, bool):
        raise ValueError("enabled is true or false")  # noqa: TRY004 - one kind of error for whoever reads a file
    return ProxySpec(
        name=_text(fields, "name"),
        listen=_text(fields, "listen"),
        upstream=_text(fields, "upstream"),
        enabled=enabled,
        tls=None if fields.get("tls") is None else read_tls(fields["tls"]),
    )


def read_tls(given: object) -> TlsSettings:
    """Read how TLS is terminated; raise ValueError."""
    if not isinstance(given, dict):
        raise ValueError("tls is an object, as {names: [localhost]}")  # noqa: TRY004 - as above
    fields = cast("dict[str, Any]", given)
    unknown = sorted(set(fields) - _TLS_KEYS)
    if unknown:
        raise ValueError(f"tls has an unknown key {unknown[0]!r}; known are {', '.join(sorted(_TLS_KEYS))}")
    found: object = fields.get("names")
    names = cast("list[object]", found) if isinstance(found, list | tuple) else []
    if not 0 < len(names) <= _MOST_NAMES or not all(
        isinstance(name, str) and name.isascii() and name for name in names
    ):
        raise ValueError(f"tls.names is a list of at most {_MOST_NAMES} names or IP addresses, at least one")
    upstream = fields.get("upstream", False)
    if not isinstance(upstream, bool):
        raise ValueError("tls.upstream is true or false")  # noqa: TRY004 - as above
    texts = {name: _text(fields, name) for name in _TLS_TEXT}
    if bool(texts["ca_cert"]) != bool(texts["ca_key"]):
        raise ValueError("tls.ca_cert and tls.ca_key are given together")
    return TlsSettings(names=tuple(cast("list[str]", names)), upstream=upstream, **texts)


def read_flag(text: str) -> ProxySpec:
    """Read ``NAME=LISTEN=UPSTREAM`` or ``NAME=UPSTREAM``; raise ValueError."""
    parts = text.split("=")
    if len(parts) not in (2, 3) or not all(parts):
        raise ValueError(f"not a proxy: {text!r}; write NAME=LISTEN=UPSTREAM, as redis=127.0.0.1:26379=127.0.0.1:6379")
    listen = parts[1] if len(parts) == 3 else ""  # noqa: PLR2004 - with a listen address
    parse_listen(listen)
    parse_address(parts[-1])
    return ProxySpec(name=parts[0], listen=listen, upstream=parts[-1])


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} is not text")
    return value or ""
