"""Certificates that a careful client refuses, served by a fault proxy that terminates TLS."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar

from gameday.model import Plan
from gameday.spi import DriverError, World
from gameday_drivers.proxy_knock import door
from gameday_drivers.proxy_target import PROXY_HELP, ProxyTarget
from gameday_drivers.proxy_toxic import ProxyFault, Toxic

_HANDSHAKE_SECONDS = 2.0


class CertificateFault(ProxyFault):
    """New handshakes get another certificate, and that is measured by making one."""

    __slots__ = ()
    certificate: ClassVar[str]
    """As the API calls it."""

    def toxics(self) -> Sequence[Toxic]:
        """One."""
        return [Toxic(type="tls_certificate", attributes={"certificate": self.certificate})]

    def plan(self, world: World) -> Plan:
        """Find the proxy, which must terminate TLS."""
        plan = super().plan(world)
        if plan.undo["control"]:
            target = ProxyTarget.of(plan, world)
            if not target.must("GET", "gameday", "proxies", target.name).content.get("tls"):
                hint = "add under proxies: tls: {names: [localhost]}"
                raise DriverError(f"proxy {self.proxy!r} does not terminate TLS", hint=hint)
        return plan

    def active(self, plan: Plan, world: World) -> bool:
        """Make a handshake at its port and compare the certificate; it is announced, so that it neither counts nor is passed on."""
        target = ProxyTarget.of(plan, world)
        shown = target.ask("GET", "proxies", target.name)
        if shown is None:
            return False
        listen = target.listen or target.granted(shown).read("listen", str)
        with door(listen, target.control.address) as outside:
            account = target.must("POST", "gameday", "proxies", target.name, "probes", outside.origin)
            tls = account.read("tls", dict)
            served = _served(outside.sock, outside.address)
            target.ask("DELETE", "gameday", "proxies", target.name, "probes", outside.origin)
        if served != tls["bad"][self.certificate]:
            return False
        others = [toxic for toxic in shown.read("toxics", list) if toxic["type"] == "tls_certificate"]
        names = {toxic["name"] for toxic in others}
        return bool(names & {toxic["name"] for toxic in plan.undo["toxics"]}) or not names


def _served(sock: socket.socket, address: object) -> str:
    """Return the SHA-256 of the certificate that a server shows; raise DriverError when there is no telling."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # we look at it, whatever it is
    try:
        sock.settimeout(_HANDSHAKE_SECONDS)
        sock.connect(address)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - as getaddrinfo gave it
        with context.wrap_socket(sock) as secure:
            certificate = secure.getpeercert(binary_form=True)
            with suppress(OSError):
                secure.unwrap()
    except OSError as error:
        raise DriverError(f"no TLS handshake at {address}: {error}") from error
    if certificate is None:
        raise DriverError(f"no certificate at {address}")
    return hashlib.sha256(certificate).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyTlsExpired(CertificateFault):
    """Serve a certificate that expired yesterday, to new connections."""

    proxy: str = field(metadata={"help": PROXY_HELP})

    name = "proxy.tls-expired"
    certificate = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyTlsNotYetValid(CertificateFault):
    """Serve a certificate that is valid from next month, to new connections."""

    proxy: str = field(metadata={"help": PROXY_HELP})

    name = "proxy.tls-not-yet-valid"
    certificate = "not_yet_valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyTlsOtherName(CertificateFault):
    """Serve a certificate for another host, to new connections."""

    proxy: str = field(metadata={"help": PROXY_HELP})

    name = "proxy.tls-other-name"
    certificate = "other_name"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyTlsUntrusted(CertificateFault):
    """Serve a certificate of an authority that nobody trusts, to new connections."""

    proxy: str = field(metadata={"help": PROXY_HELP})

    name = "proxy.tls-untrusted"
    certificate = "untrusted"
