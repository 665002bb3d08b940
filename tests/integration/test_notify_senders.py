"""Each channel against a real receiver that behaves in every way: what is sent, and what is said of a failure."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gameday.notify import notices
from gameday.spi import DriverError, Notice, Notifier, NotSentError, Secrets
from gameday_drivers.notify_email import Email
from gameday_drivers.notify_slack import Slack
from gameday_drivers.notify_teams import Teams
from gameday_drivers.notify_webhook import Webhook, sign
from tests.fakes.receiver import (
    Behaviour,
    Receiver,
    answer,
    drip,
    endless,
    junk,
    mail_server,
    never,
    receiver,
    reset,
    tell_path,
)
from tests.harness import free_port

WALL = 1_790_000_000.0
CANARY = "T0CANARY"
PASSWORD = "p%ss:w/rd-canary"


def notice(**changes: Any) -> Notice:
    made = notices.started(run="R1", title="Checkout & <payments>", wall=WALL)
    return Notice(**{**{name: getattr(made, name) for name in made.__slots__}, **changes})


def failing(notifier: Notifier, secrets: Secrets, seconds: float = 5.0) -> NotSentError:
    with pytest.raises(NotSentError) as caught:
        notifier.send(notice(), secrets, seconds)
    said = str(caught.value)
    assert CANARY not in said
    assert "canary" not in said
    assert caught.value.__cause__ is None
    return caught.value


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def known(made: Receiver) -> Secrets:
    return Secrets(values={"url": made.url, "key": "hmac-canary"})


def test_slack_is_sent_blocks_and_text(hook: Receiver) -> None:
    Slack(url="${url}").send(notice(), known(hook), 5)
    [request] = hook.requests
    assert request.path == "/services/T0CANARY/hook"
    assert request.headers["content-type"] == "application/json"
    assert request.json["text"].startswith("START: Checkout &amp; &lt;payments&gt;")
    assert request.json["blocks"][0]["text"]["text"] == "START: Checkout & <payments>"


def test_teams_is_sent_an_adaptive_card(hook: Receiver) -> None:
    Teams(url="${url}").send(notice(), known(hook), 5)
    [attachment] = hook.requests[0].json["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["body"][0]["inlines"][0]["text"] == "START: Checkout & <payments>"


def test_a_webhook_is_signed_over_time_and_body(hook: Receiver) -> None:
    before = int(time.time())
    Webhook(url="${url}", secret="${key}").send(notice(title="${url}"), known(hook), 5)
    [request] = hook.requests
    assert request.json["title"] == "${url}"
    assert CANARY.encode() not in request.body
    stamp, signature = request.headers["x-gameday-timestamp"], request.headers["x-gameday-signature"]
    assert before <= int(stamp) <= time.time()
    assert signature == sign("hmac-canary", stamp, request.body.decode())
    assert signature != sign("another", stamp, request.body.decode())
    assert signature != sign("hmac-canary", str(int(stamp) + 1), request.body.decode())
    assert request.headers["x-gameday-delivery"] == request.json["id"]


def test_a_webhook_without_a_key_is_not_signed(hook: Receiver) -> None:
    Webhook(url="${url}").send(notice(), known(hook), 5)
    assert "x-gameday-signature" not in hook.requests[0].headers


@pytest.mark.parametrize(
    ("behaviour", "said", "again"),
    [
        (answer(500), "it answers 500", True),
        (answer(503, Retry_After="7"), "it answers 503", True),
        (answer(429, Retry_After="7"), "it answers 429", True),
        (answer(400), "it answers 400", False),
        (answer(404), "there is no such webhook (404)", False),
        (answer(302, Location="http://127.0.0.1:1/elsewhere"), "it redirects (302), which is not followed", False),
        (reset, "it closed the connection", True),
        (junk, "its answer is not proper HTTP, or too long", True),
        (endless, "its answer is not proper HTTP, or too long", True),
        (tell_path, "it answers 400", False),
    ],
)
def test_what_is_said_of_a_failure_holds_nothing_of_the_url(behaviour: Behaviour, said: str, again: bool) -> None:
    with receiver(behaviour) as made:
        error = failing(Slack(url="${url}"), known(made))
    assert (str(error), error.again) == (said, again)


@pytest.mark.parametrize("behaviour", [never, drip], ids=["never", "drip"])
def test_a_try_ends_at_its_deadline_however_the_receiver_drips(behaviour: Behaviour) -> None:
    with receiver(behaviour) as made:
        assert str(failing(Slack(url="${url}"), known(made), seconds=0.3)) == "no whole answer in time"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("0", 0.0), ("soon", None), ("-1", None), ("9" * 40, None), ("1.5", None)],
)
def test_retry_after_in_seconds(value: str, seconds: float | None) -> None:
    with receiver(answer(429, Retry_After=value)) as made:
        assert failing(Slack(url="${url}"), known(made)).after == seconds


def test_retry_after_as_a_date() -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    with receiver(answer(503, Retry_After=format_datetime(at, usegmt=True))) as made:
        after = failing(Slack(url="${url}"), known(made)).after
    assert after is not None
    assert 3000 < after <= 3600


@pytest.mark.parametrize(
    "url",
    [
        f"http://127.0.0.1:{CANARY}/x",
        f"http://127.0.0.1/{CANARY} x",
        f"http://127.0.0.1/{CANARY}\r\nX: y",
        f"ftp://127.0.0.1/{CANARY}",
        CANARY,
        f"http://user:{CANARY}@127.0.0.1/",
        f"http://[{CANARY}/",
        "",
    ],
)
def test_a_url_that_is_none_is_not_repeated(url: str) -> None:
    error = failing(Slack(url="${url}"), Secrets(values={"url": url}))
    assert (str(error), error.again) == ("its URL is no proper http or https URL", False)


def test_a_secret_is_never_sent_in_the_clear_beyond_this_machine() -> None:
    error = failing(Slack(url="${url}"), Secrets(values={"url": f"http://hooks.example.com/{CANARY}"}))
    assert "needs https" in str(error)


def test_nobody_listens() -> None:
    secrets = Secrets(values={"url": f"http://127.0.0.1:{free_port()}/{CANARY}"})
    assert str(failing(Slack(url="${url}"), secrets)) == "it refuses connections"


def test_a_secret_that_is_not_set_is_named() -> None:
    with pytest.raises(DriverError, match="'url' is not set"):
        Slack(url="${url}").send(notice(), Secrets(), 5)


# --- TLS -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PEM file with the key and the self-signed certificate of localhost and 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_is_checked(certificate: Path) -> None:
    with receiver(tls=server_side(certificate)) as made:
        trusted = Secrets(values={"url": f"https://localhost:{made.port}/{CANARY}"})
        assert str(failing(Slack(url="${url}"), trusted)) == "its certificate is not trusted"
        Slack(url="${url}", ca=str(certificate)).send(notice(), trusted, 5)
        other = Secrets(values={"url": f"https://127.0.0.1:{made.port}/{CANARY}"})
        assert str(failing(Slack(url="${url}", ca=str(certificate)), other)) == "its certificate is not trusted"
        assert len(made.requests) == 1


# --- mail ------------------------------------------------------------------------------------------------------------


class Mailbox:
    """Keeps what aiosmtpd took."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], bytes, bool]] = []

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        self.mails.append((list(envelope.rcpt_tos), bytes(envelope.content), session.ssl is not None))
        return "250 OK"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if address.startswith("nobody"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"


Smtp = Callable[..., "AbstractContextManager[tuple[int, Mailbox]]"]


class _Running:
    def __init__(self, **options: Any) -> None:
        self.mailbox = Mailbox()
        self.controller = Controller(self.mailbox, hostname="127.0.0.1", port=free_port(), **options)

    def __enter__(self) -> tuple[int, Mailbox]:
        self.controller.start()
        return self.controller.port, self.mailbox

    def __exit__(self, *_: object) -> None:
        self.controller.stop()


def _login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    right = data.login == b"bot" and data.password == PASSWORD.encode()
    return AuthResult(success=right, handled=False)


def test_a_mail_reaches_every_address() -> None:
    with _Running() as (port, mailbox):
        sender = Email(to=("a@b.example", "c@d.example"), smtp=f"smtp://127.0.0.1:{port}", sender="game@day.example")
        sender.send(notice(), Secrets(), 5)
    [(to, content, _)] = mailbox.mails
    assert to == ["a@b.example", "c@d.example"]
    assert b"Subject: [gameday] START: Checkout & <payments>\r\n" in content
    assert b"From: game@day.example\r\n" in content
    assert b"Auto-Submitted: auto-generated\r\n" in content


def test_a_password_is_sent_under_tls_and_nowhere_else(certificate: Path) -> None:
    options = {
        "tls_context": server_side(certificate),
        "require_starttls": True,
        "authenticator": _login,
        "auth_required": True,
    }
    with _Running(**options) as (port, mailbox):
        url = f"smtp://bot:${{pw}}@localhost:{port}"
        right, wrong = Secrets(values={"pw": PASSWORD}), Secrets(values={"pw": "wrong-canary"})
        Email(to=("a@b.example",), smtp=url, ca=str(certificate)).send(notice(), right, 5)
        error = failing(Email(to=("a@b.example",), smtp=url, ca=str(certificate)), wrong)
        assert (str(error), error.again) == ("the server refuses the login (535)", False)
        assert str(failing(Email(to=("a@b.example",), smtp=url), right)) == "its certificate is not trusted"
    assert [secure for _, _, secure in mailbox.mails] == [True]


def test_tls_from_the_start(certificate: Path) -> None:
    with receiver_of_smtps(certificate) as (port, mailbox):
        url = f"smtps://localhost:{port}"
        Email(to=("a@b.example",), smtp=url, ca=str(certificate)).send(notice(), Secrets(), 5)
        assert str(failing(Email(to=("a@b.example",), smtp=url), Secrets())) == "its certificate is not trusted"
    assert len(mailbox.mails) == 1


def receiver_of_smtps(certificate: Path) -> _Running:
    return _Running(ssl_context=server_side(certificate), server_hostname="localhost")


def test_an_address_that_is_refused_is_counted_and_the_others_are_told() -> None:
    with _Running() as (port, mailbox):
        url = f"smtp://127.0.0.1:{port}"
        error = failing(Email(to=("nobody@b.example", "c@d.example"), smtp=url), Secrets())
        assert str(error) == "the server refuses 1 of 2 addresses"
        every = failing(Email(to=("nobody@b.example",), smtp=url), Secrets())
        assert (str(every), every.again) == ("the server refuses every address (550)", False)
    assert [to for to, _, _ in mailbox.mails] == [["c@d.example"]]


@pytest.mark.parametrize(
    "address", ["a@b.example\r\nBcc: c@d.example", "a@b.example,c@d.example", "<a@b.example>", "x"]
)
def test_an_address_in_a_secret_is_one_plain_address(address: str) -> None:
    error = failing(Email(to=("${to}",), smtp="smtp://127.0.0.1:1"), Secrets(values={"to": address}))
    assert str(error) == "one of its addresses is no plain e-mail address"


def _silent(_sock: Any, over: threading.Event) -> None:
    over.wait(60)


def _busy(sock: Any, _over: threading.Event) -> None:
    sock.sendall(b"421 p%ss:w/rd-canary too busy\r\n")


def _chatter(sock: Any, over: threading.Event) -> None:
    while not over.is_set():
        sock.sendall(b"220-for ever\r\n" * 1000)


def _dripping(sock: Any, over: threading.Event) -> None:
    while not over.wait(0.05):
        sock.sendall(b"2")


def _gone(sock: Any, _over: threading.Event) -> None:
    sock.close()


@pytest.mark.parametrize(
    ("talk", "said", "again"),
    [
        (_silent, "no whole answer in time", True),
        (_dripping, "no whole answer in time", True),
        (_chatter, "the server closed the connection", True),
        (_busy, "the server answers 421", True),
        (_gone, "the server closed the connection", True),
    ],
)
def test_mail_servers_that_misbehave(talk: Callable[[Any, threading.Event], None], said: str, again: bool) -> None:
    with mail_server(talk) as port:
        url = f"smtp://bot:${{pw}}@127.0.0.1:{port}"
        seconds = 0.5 if "time" in said else 10
        error = failing(Email(to=("a@b.example",), smtp=url), Secrets(values={"pw": PASSWORD}), seconds)
    assert (str(error), error.again) == (said, again)
