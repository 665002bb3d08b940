"""Reads the HTTP/1.1 that passes one connection, and does to matching requests and their answers what toxics say."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

from gameday.proxy.answers import Alteration, Cut, alteration_of, held
from gameday.proxy.effects import Final
from gameday.proxy.http1 import REQUEST_START, Messages, NotHttpError, RequestHead, ResponseHead, with_fields
from gameday.proxy.httpkinds import HttpAbort, HttpDelay, HttpHeader, HttpKind, HttpRateLimit, Matcher
from gameday.proxy.kinds import Latency
from gameday.proxy.link import End, Link
from gameday.proxy.pipe import Hold
from gameday.proxy.toxics import Toxic

_MOST_OUTSTANDING = 1000
"""Requests without an answer on one connection; beyond it nobody speaks HTTP."""
_SWITCHING, _TUNNEL = 101, range(200, 300)


class Rule:
    """One HTTP toxic of a proxy, ready to be asked."""

    __slots__ = ("_filled", "_level", "kind", "matches", "toxic")

    def __init__(self, toxic: Toxic, kind: HttpKind) -> None:
        self.toxic = toxic
        self.kind = kind
        self.matches: Matcher = kind.matcher()
        self._level = float(kind.burst) if isinstance(kind, HttpRateLimit) else 0.0
        self._filled: float | None = None

    def strikes(self, head: RequestHead, now: float) -> bool:
        """Draw whether a request is struck."""
        if not self.matches(head) or not self.toxic.strikes():
            return False
        return not (isinstance(self.kind, HttpRateLimit) and self._admits(self.kind, now))

    def _admits(self, kind: HttpRateLimit, now: float) -> bool:
        """Take a token from the bucket, if it has one."""
        if self._filled is not None:
            self._level = min(float(max(kind.burst, 1)), self._level + (now - self._filled) * kind.rate)
        self._filled = now
        if self._level < 1:
            return False
        self._level -= 1
        return True


@dataclass(slots=True)
class Rules:
    """The HTTP toxics of a proxy, in the order in which they were set, and what passed them."""

    all: tuple[Rule, ...] = ()
    requests: int = 0
    """Requests that were read."""
    unread: int = 0
    """Connections given up on: not HTTP/1.1, or not unambiguous."""

    def change(self, toxics: Sequence[Toxic]) -> None:
        """Take up the toxics that are set now; one that has not changed keeps its count of the moment."""
        known = {rule.toxic: rule for rule in self.all}
        rules: list[Rule] = []
        for toxic in toxics:
            if isinstance(toxic.kind, HttpKind):
                rule = known.get(toxic)
                rules.append(rule if rule is not None and rule.kind is toxic.kind else Rule(toxic, toxic.kind))
        self.all = tuple(rules)


@dataclass(slots=True)
class Exchange:
    """One request and its answer."""

    method: str
    reply: bytes | None = None
    """Our own answer; the dependency has not been asked."""
    last: bool = False
    """The client wants the connection closed behind our answer."""
    hold: Hold | None = None
    alterations: list[Alteration] = field(default_factory=list[Alteration])

    def answer(self, reply: bytes, head: RequestHead) -> None:
        """Answer it ourselves, unless another toxic has already."""
        if self.reply is None:
            self.reply = reply.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if head.method == "HEAD" else reply
            self.last = head.closes


class Dialogue:
    """Both directions of one link, request by request; gives up, and passes on unread, what is not HTTP/1.1."""

    __slots__ = ("_asked", "_link", "_open", "_requests", "_responses", "_rules", "_swallowing")

    def __init__(self, link: Link, rules: Rules) -> None:
        self._link = link
        self._rules = rules
        self._requests = Messages()
        self._responses = Messages()
        self._open: deque[Exchange] = deque()
        """Requests whose answers are still to come, oldest first."""
        self._swallowing = False
        """The request that is being read was answered by us: the rest of it goes nowhere."""
        self._asked = False
        """The beginning of a request has been seen; until then this may be the middle of one."""

    def sent(self, end: End, data: bytes) -> None:
        """Take bytes from one side."""
        if not self._asked and not self._begins(end, data):
            self._link.last = end
            end.outward.feed(data)
            return
        self._link.last = end
        try:
            if end is self._link.client:
                self._hear_request(data)
            else:
                self._hear_response(data)
        except NotHttpError:
            self._give_up()
            return
        self.retire()

    def ended(self, end: End) -> None:
        """Pass on what one side sent of a message that will never be whole."""
        messages = self._requests if end is self._link.client else self._responses
        rest = messages.rest()
        if rest and not (self._swallowing and end is self._link.client):
            end.outward.feed(rest)

    def retire(self) -> None:
        """Step aside when no toxic is left and no message is under way."""
        if not self._rules.all and not self._open and self._requests.idle and self._responses.idle:
            self._link.reader = None

    def _begins(self, end: End, data: bytes) -> bool:
        link = self._link
        if end is link.client and link.last is not link.client and REQUEST_START.match(data):
            self._asked = True
        elif link.last is None and end is link.client:
            self._asked = True  # the first bytes of all: a request whose head comes in parts
        return self._asked

    def _hear_request(self, data: bytes) -> None:
        messages = self._requests
        messages.push(data)
        out: list[bytes] = []
        try:
            while not messages.idle:
                if messages.at_start:
                    self._swallowing = False
                    head = self._next_request()
                    if head is None:
                        break
                    self._begin(head, out)
                if not messages.at_start:
                    for _, piece in messages.pieces():
                        if not self._swallowing:
                            out.append(piece)
                    if not messages.at_start:
                        break
        finally:
            if out:
                self._link.up.feed(out[0] if len(out) == 1 else b"".join(out))

    def _next_request(self) -> RequestHead | None:
        if len(self._open) >= _MOST_OUTSTANDING:
            raise NotHttpError
        return self._requests.request()

    def _begin(self, head: RequestHead, out: list[bytes]) -> None:
        """Decide what becomes of a request, once."""
        self._rules.requests += 1
        exchange = Exchange(head.method)
        now = monotonic()
        raw = head.raw
        for rule in self._rules.all:
            if not rule.strikes(head, now):
                continue
            self._link.fate.count(rule.toxic)
            kind = rule.kind
            if isinstance(kind, HttpAbort | HttpRateLimit):
                exchange.answer(kind.reply(), head)
            elif isinstance(kind, HttpDelay):
                latency = Latency(latency=kind.latency, jitter=kind.jitter, distribution=kind.distribution)
                since = now if exchange.hold is None else exchange.hold.until
                exchange.hold = Hold(rule.toxic, since + latency.seconds(rule.toxic.rng))
            elif isinstance(kind, HttpHeader) and kind.on == "request":
                raw = with_fields(raw, dict(kind.set or {}), kind.remove)
            else:
                exchange.alterations += alteration_of(rule.toxic, kind)
        self._open.append(exchange)
        self._swallowing = exchange.reply is not None
        if self._swallowing:
            self._reply()
        elif exchange.hold is not None:
            if out:
                self._link.up.feed(b"".join(out))
                out.clear()
            self._link.up.feed(raw, exchange.hold)
        else:
            out.append(raw)

    def _hear_response(self, data: bytes) -> None:
        messages = self._responses
        messages.push(data)
        out: list[bytes] = []
        try:
            while not messages.idle:
                if messages.at_start and not self._begin_answer(out):
                    break
                if not messages.at_start:
                    self._pass_body(messages, out)
                    if not messages.at_start:
                        break
                self._open.popleft()
                self._flush(out)
                self._reply()
        finally:
            self._flush(out)

    def _begin_answer(self, out: list[bytes]) -> bool:
        """Pass on the head of the next answer, and those of interim ones before it; return whether it was there."""
        while self._open:
            head = self._responses.response(self._open[0].method)
            if head is None:
                return False
            out.append(self._answered(head))
            if head.status == _SWITCHING or (self._open[0].method == "CONNECT" and head.status in _TUNNEL):
                raise NotHttpError
            if not head.interim:
                return True
        raise NotHttpError  # it speaks without being asked

    def _answered(self, head: ResponseHead) -> bytes:
        raw = head.raw
        if not head.interim:
            for alteration in self._open[0].alterations:
                raw = alteration.head(raw, head)
        return raw

    def _pass_body(self, messages: Messages, out: list[bytes]) -> None:
        alterations = self._open[0].alterations
        for content, piece in messages.pieces():
            if not alterations:
                out.append(piece)
                continue
            altered = piece
            for alteration in alterations:
                try:
                    altered = alteration.piece(altered, content=content)
                except Cut as cut:
                    out.append(cut.left)
                    self._flush(out)
                    self._link.down.end(Final.CLOSE)
                    return
            for part, hold in held(alterations, altered):
                if hold is None:
                    out.append(part)
                else:
                    self._flush(out)
                    self._link.down.feed(part, hold)

    def _flush(self, out: list[bytes]) -> None:
        if out:
            self._link.down.feed(out[0] if len(out) == 1 else b"".join(out))
            out.clear()

    def _reply(self) -> None:
        """Give our own answers whose turn it is; a client that asks on without reading them is not kept."""
        while self._open and (reply := self._open[0].reply) is not None:
            exchange = self._open.popleft()
            self._link.down.feed(reply, exchange.hold)
            self._link.last = self._link.server
            if exchange.last:
                self._link.down.end(Final.CLOSE)
            elif self._link.down.choked:
                self._link.cut()

    def _give_up(self) -> None:
        """Pass on unread from here on, if nothing of it was swallowed."""
        self._rules.unread += 1
        link = self._link
        if self._swallowing or any(exchange.reply is not None for exchange in self._open):
            link.cut()
            return
        link.reader = None
        link.unreadable = True
        for end, messages in ((link.client, self._requests), (link.server, self._responses)):
            rest = messages.rest()
            if rest:
                end.outward.feed(rest)
