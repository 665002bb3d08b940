"""The list ``faults:`` → one flat list: each ``- NAME: {…}`` a mapping with its name, each ``- use: FILE`` the faults of that file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from gameday.schema.document import Document
from gameday.schema.errors import did_you_mean
from gameday.schema.fragments import Fragments
from gameday.schema.nodes import Entries, Items, Node, Value
from gameday.schema.quantities import format_duration, parse_duration

Delays: TypeAlias = dict[int, tuple[Value, ...]]
_FORM = "write - NAME: {do: DRIVER, with: {…}, at: 0s, for: 30s}"
_KEYS = (
    "do", "with", "at", "for", "observe", "irreversible", "every", "times", "max_targets", "keep_ready", "when_no_target",
    "recovery",
)  # fmt: skip
_USE_KEYS = ("use", "at")


@dataclass(slots=True, kw_only=True)
class FaultList:
    """The faults of one experiment, its fragments included, while they are read."""

    document: Document
    fragments: Fragments
    faults: list[Node] = field(default_factory=list[Node])
    delays: Delays = field(default_factory=dict[int, tuple[Value, ...]])

    def read(self, node: Node) -> Items:
        """Return every fault in the order of the file; what is wrong is noted in the document."""
        self._extend(node, (), ())
        return Items(span=node.span, items=self.faults)

    def _extend(self, node: Node, within: tuple[Path, ...], delay: tuple[Value, ...]) -> None:
        if not isinstance(node, Items):
            self.document.add(node.span, "wrong-type", "'faults' must be a list", _FORM)
            return
        for item in node.items:
            if isinstance(item, Entries) and "use" in item.entries and "do" not in item.entries:
                self._use(item, within, delay)
            elif (fault := self._fault(item)) is not None:
                if delay:
                    self.delays[len(self.faults)] = delay
                self.faults.append(fault)

    def _use(self, item: Entries, within: tuple[Path, ...], delay: tuple[Value, ...]) -> None:
        """Put the faults of a fragment here, each of them later by ``at``."""
        for key, (span, _) in item.entries.items():
            if key not in _USE_KEYS:
                self.document.add(span, "unknown-key", f"unknown key {key!r} beside use", did_you_mean(key, _USE_KEYS))
        span, name = item.entries["use"]
        at = item.get("at")
        if not isinstance(name, Value) or not isinstance(name.value, str) or not name.value or "${" in name.value:
            self.document.add(span, "wrong-type", "use names a file", "write - use: ./fragments/NAME.yaml")
            return
        if isinstance(at, (Entries, Items)):
            self.document.add(at.span, "bad-value", "at is a duration", "write at: 30s")
            return
        opened = self.fragments.open(name.value, name.span, within)
        if opened is not None:
            self._extend(opened.faults, (*within, opened.path), delay if at is None else (*delay, at))

    def _fault(self, item: Node) -> Entries | None:
        """Return one fault with its ``name``; the form that has it is left as it is."""
        if not isinstance(item, Entries) or not item.entries:
            self.document.add(item.span, "wrong-type", "a fault is a mapping with its name", _FORM)
            return None
        if "name" in item.entries and "do" in item.entries:
            return replace(item, entries=dict(item.entries))
        (name, (span, body)), *others = item.entries.items()
        if others:
            beside, (place, _) = others[0]
            hint = "indent it below the fault's name" if beside in _KEYS else did_you_mean(beside, _KEYS, _FORM)
            self.document.add(place, "wrong-type", f"{beside!r} stands beside the fault's name", hint)
        elif not isinstance(body, Entries):
            self.document.add(span, "wrong-type", f"fault {name!r} is empty", _FORM)
        elif "name" in body.entries:
            place = body.entries["name"][0]
            self.document.add(place, "unknown-key", f"the name of this fault is its key, {name!r}", "remove it")
        else:
            return replace(body, entries={"name": (span, Value(span=span, value=name, text=name)), **body.entries})
        return None


def put_off(document: Document, root: Entries, delays: Mapping[int, tuple[Node, ...]]) -> None:
    """Add what each ``use`` says to the ``at`` of its faults, in place; variables are already put in."""
    faults = root.get("faults")
    for index, values in delays.items():
        fault = faults.items[index] if isinstance(faults, Items) else None
        if not isinstance(fault, Entries):
            continue
        later = sum(_milliseconds(document, value) for value in values)
        span, at = fault.entries.get("at", (fault.span, None))
        try:
            total = later + (parse_duration(at.value) if isinstance(at, Value) else 0)
        except ValueError:
            continue
        text = format_duration(total)
        fault.entries["at"] = (span, Value(span=span if at is None else at.span, value=text, text=text))


def _milliseconds(document: Document, value: Node) -> int:
    if not isinstance(value, Value):
        return 0
    try:
        return parse_duration(value.value)
    except ValueError as error:
        if not document.has_error_at(value.span):
            message, _, hint = str(error).partition("; ")
            document.add(value.span, "bad-value", message, hint)
        return 0
