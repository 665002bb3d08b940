"""Any URL: the message as JSON, signed where there is a key, so that the receiver knows that it is ours and new.

``X-Gameday-Signature: v1=HEX`` is HMAC-SHA256 (RFC 2104) of ``TIMESTAMP.BODY`` under the key, TIMESTAMP being the header
``X-Gameday-Timestamp`` in seconds since the epoch and BODY the bytes of the body.
"""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass

from gameday.spi import Notice, Secrets
from gameday_drivers.notify_post import as_body, post_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Tell any program by a POST of JSON."""

    url: str
    secret: str = ""
    ca: str = ""

    name = "webhook"

    def send(self, notice: Notice, secrets: Secrets, seconds: float) -> None:
        """Send one message; each try is signed anew, its ``id`` stays."""
        document = notice.to_json()
        headers = {"X-Gameday-Delivery": notice.id}
        if self.secret:
            stamp = str(int(time.time()))
            headers["X-Gameday-Timestamp"] = stamp
            headers["X-Gameday-Signature"] = sign(secrets.reveal(self.secret), stamp, as_body(document))
        post_json(self.url, document, secrets=secrets, seconds=seconds, headers=headers, ca=self.ca)


def sign(key: str, stamp: str, body: str) -> str:
    """Return the value of the signature's header."""
    return "v1=" + hmac.new(key.encode(), f"{stamp}.{body}".encode(), "sha256").hexdigest()
