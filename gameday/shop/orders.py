"""An order as the parts of the shop pass it on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from http import HTTPStatus

from gameday.shop.http import ProtocolError, Request

MAX_TEXT = 64
"""Characters of an order's number or an article's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be paid: ``order`` is its number, the same at every attempt."""

    order: str
    sku: str

    def post(self, path: str) -> Request:
        """Ask another service to see to this order."""
        return Request(
            method="POST",
            path=path,
            headers={"content-type": "application/json"},
            body=json.dumps(asdict(self)).encode(),
        )


def read_order(request: Request, *, order: str | None = None) -> Order:
    """Read an order, or the article of a new one numbered ``order``; raise ProtocolError (400) when it is not one."""
    members = request.json()
    return Order(order=order or _text(members, "order"), sku=_text(members, "sku"))


def _text(members: dict[str, object], key: str) -> str:
    value = members.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
        raise ProtocolError(HTTPStatus.BAD_REQUEST, f"{key} must be a text of 1 to {MAX_TEXT} characters")
    return value
