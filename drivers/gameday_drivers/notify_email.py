"""E-mail by SMTP: ``smtp://`` upgrades by STARTTLS (RFC 3207) where the server offers it, ``smtps://`` is TLS from the start (RFC 8314).

Certificates are checked. A password is sent under TLS only, except to this machine itself.
"""

from __future__ import annotations

import io
import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from typing import BinaryIO

from gameday.spi import Notice, NotSentError, Secrets
from gameday_drivers.notify_post import is_loopback, why
from gameday_drivers.secret_url import Opened, open_url

DEFAULT = "smtp://127.0.0.1:25"
SENDER = "gameday@localhost"
_PORTS = {"smtp": 25, "smtps": 465}
_ADDRESS = re.compile(r"[^\s@<>,;:\"\\]{1,64}@[^\s@<>,;:\"\\]{1,255}")
_SUBJECT = 150
_LINES = 500
"""Lines of a server that are read, in one session."""
_TEMPORARY = range(400, 500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """Tell people by e-mail."""

    to: tuple[str, ...]
    smtp: str = DEFAULT
    sender: str = SENDER
    ca: str = ""

    name = "email"

    def send(self, notice: Notice, secrets: Secrets, seconds: float) -> None:
        """Send one message to all addresses; refused by one of them, it was still sent to the others."""
        end = time.monotonic() + seconds
        server = _opened(self.smtp, secrets)
        to = [_address(secrets.reveal(address)) for address in self.to]
        mail = letter(notice, _address(secrets.reveal(self.sender)), to)
        try:
            context = ssl.create_default_context(cafile=self.ca or None)
            with _connected(server, context, end) as client:
                _secured(client, server, context)
                refused = client.send_message(mail)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise _not_sent(TimeoutError() if time.monotonic() >= end else error) from None
        if refused:
            raise NotSentError(f"the server refuses {len(refused)} of {len(to)} addresses", again=False)


def letter(notice: Notice, sender: str, to: list[str]) -> EmailMessage:
    """Return the message as it is sent; a receiver knows a second copy by its Message-ID."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = f"[gameday] {notice.headline}"[:_SUBJECT]
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Message-ID"] = f"<{re.sub(r'[^A-Za-z0-9.-]', '-', notice.id)}@gameday>"
    mail["Date"] = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies
    mail.set_content(notice.text())
    return mail


def _address(text: str) -> str:
    """Refuse what could be more than one address, or another header."""
    if not _ADDRESS.fullmatch(text) or not text.isascii() or not text.isprintable():
        raise NotSentError("one of its addresses is no plain e-mail address", again=False)
    return text


def _opened(text: str, secrets: Secrets) -> Opened:
    try:
        server = open_url(text, secrets)
    except ValueError:
        server = Opened(scheme="")
    if server.scheme not in _PORTS or not server.host:
        raise NotSentError("its smtp is no smtp:// or smtps:// URL", again=False)
    return server


@contextmanager
def _connected(server: Opened, context: ssl.SSLContext, end: float) -> Generator[smtplib.SMTP]:
    """Connect, and cut the connection at the deadline: smtplib's own time-out begins again with every drop of a slow answer."""
    seconds = max(0.1, end - time.monotonic())
    port = server.port or _PORTS[server.scheme]
    here = "[127.0.0.1]"  # what is looked up otherwise may take longer than everything else
    client = (
        _TlsClient(local_hostname=here, timeout=seconds, context=context)
        if server.scheme == "smtps"
        else _Client(local_hostname=here, timeout=seconds)
    )
    client.meet(server.host)
    timer = threading.Timer(seconds, _cut, [client])
    timer.daemon = True
    timer.start()
    try:
        code, _ = client.connect(server.host, port)
        if code != 220:  # noqa: PLR2004 - RFC 5321, 4.2.3: service ready
            raise smtplib.SMTPConnectError(code, b"")
        yield client
        with suppress(smtplib.SMTPException, OSError):
            client.quit()
    finally:
        timer.cancel()
        client.close()


class _Few(io.RawIOBase):
    """The lines of a server, of which nobody needs many: an endless greeting must not fill the memory."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file, self._left = file, _LINES

    def readline(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        return self._file.readline(-1 if size is None else size) if self._left >= 0 else b""

    def close(self) -> None:
        self._file.close()
        super().close()


class _Client(smtplib.SMTP):
    """A client that reads a bounded number of lines, and knows its server's name before it connects, which TLS checks."""

    def meet(self, host: str) -> None:
        """Take down the name; the constructor does so only when it also connects, before anybody can cut it."""
        self._host = host

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _Few(self.sock.makefile("rb"))
        return super().getreply()


class _TlsClient(_Client, smtplib.SMTP_SSL):
    """The same, with TLS from the start."""


def _cut(client: smtplib.SMTP) -> None:
    sock = client.sock
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def _secured(client: smtplib.SMTP, server: Opened, context: ssl.SSLContext) -> None:
    """Upgrade to TLS and log in, as far as that is offered and asked for."""
    client.ehlo_or_helo_if_needed()
    secure = server.scheme == "smtps"
    if not secure and client.has_extn("starttls"):
        client.starttls(context=context)
        client.ehlo()
        secure = True
    if not server.password:
        return
    if not secure and not is_loopback(server.host):
        raise NotSentError("the server offers no TLS, and a password is not sent without it", again=False)
    client.login(server.user, server.password)


def _not_sent(error: Exception) -> NotSentError:
    """Say what went wrong or was refused, without the server's words: they may repeat what we sent."""
    if not isinstance(error, smtplib.SMTPException):
        return NotSentError(why(error) if isinstance(error, OSError) else "its host is no proper name")
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return NotSentError(f"the server refuses the login ({error.smtp_code})", again=error.smtp_code in _TEMPORARY)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        return NotSentError(f"the server refuses every address ({codes[0]})", again=all(c in _TEMPORARY for c in codes))
    if isinstance(error, smtplib.SMTPResponseException):
        return NotSentError(f"the server answers {error.smtp_code}", again=error.smtp_code in _TEMPORARY)
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return NotSentError("the server closed the connection")
    return NotSentError("the server does not do what sending needs", again=False)
