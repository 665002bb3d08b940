"""What llhttp, by way of geventhttpclient, finds in an answer. Load child only."""

from __future__ import annotations

from geventhttpclient._parser import HTTPResponseParser

_FINAL = 200
"""From this status on an answer is final; 1xx only announces one."""


class Response(HTTPResponseParser):
    """The parser's callbacks, with nothing kept but the status: all that a request without checks needs."""

    def __init__(self, *, head: bool) -> None:
        super().__init__()
        self._head = head
        self.complete = False
        self.reusable = False
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    def _on_message_begin(self) -> None:
        self.reusable = False

    def _on_status(self, text: str) -> None:
        pass

    def _on_header_field(self, text: str) -> None:
        pass

    def _on_header_value(self, text: str) -> None:
        pass

    def _on_headers_complete(self) -> bool:
        return self._head

    def _on_body(self, data: bytearray) -> None:
        pass

    def _on_message_complete(self) -> None:
        """Take note of the final answer; one of 1xx is followed by it on the same connection."""
        if not self.complete and self.get_code() >= _FINAL:
            self.complete = True
            self.status = self.get_code()
            self.reusable = self.should_keep_alive()


class WholeResponse(Response):
    """Keeps headers and body too, for requests with checks."""

    def __init__(self, *, head: bool) -> None:
        super().__init__(head=head)
        self._field = ""
        self._in_value = False
        self._first = True
        self._chunks: list[bytes] = []

    def _on_header_field(self, text: str) -> None:
        self._field = text if self._in_value else self._field + text
        self._in_value = False

    def _on_header_value(self, text: str) -> None:
        """Keep the first header of a name; long values come in pieces."""
        name = self._field.lower()
        if self._in_value and self._first:
            self.headers[name] += text
        elif not self._in_value:
            self._first = name not in self.headers
            self.headers.setdefault(name, text)
        self._in_value = True

    def _on_body(self, data: bytearray) -> None:
        self._chunks.append(bytes(data))

    def _on_message_begin(self) -> None:
        super()._on_message_begin()
        if not self.complete:
            self.headers, self._chunks, self._field, self._in_value, self._first = {}, [], "", False, True

    def _on_message_complete(self) -> None:
        super()._on_message_complete()
        self.body = b"".join(self._chunks)
