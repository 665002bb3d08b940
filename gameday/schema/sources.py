"""What the file says about its ``sources:``: that each is of a known kind, keeps its secrets, and that what asks one can tell which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gameday.schema.document import Document
from gameday.schema.errors import ProbeCheck, did_you_mean
from gameday.schema.experiment import Experiment
from gameday.schema.kinds import installed
from gameday.schema.nodes import Entries, Node, Path, Value, as_mapping, find, locate, pairs, texts
from gameday.schema.quantities import shown
from gameday.schema.source import ASKS, KINDS, NEEDED, OWN_URL

_SECRETS = ("token", "password")


def source_kinds(root: Node) -> dict[str, str]:
    """Return the kind of each source of the file by its name."""
    kinds: dict[str, str] = {}
    for name, _, node in pairs(find(root, ("sources",))):
        kinds[name] = next((text for _, text in texts(find(node, ("kind",)))), name)
    return kinds


def check_sources(document: Document, root: Node, raw: Mapping[str, Any], probes: ProbeCheck | None) -> None:
    """Note what is wrong with each source, and with each SLI's choice of one."""
    for name, kind in source_kinds(root).items():
        path = ("sources", name, "kind") if find(root, ("sources", name, "kind")) else ("sources", name)
        if kind not in KINDS and not installed(kind, probes):
            hint = did_you_mean(kind, KINDS) or f"write kind: {' or '.join(KINDS)}"
            span = locate(root, path, key=len(path) < 3)  # noqa: PLR2004 - the name itself is the kind
            document.add(span, "unknown-source", f"no source is of the kind {shown(kind)}", hint)
        _written_out(document, root, name)
    for name, entry in as_mapping(raw.get("slis")).items():
        probe = next((key for key in as_mapping(entry) if key not in ("every", "source")), None)
        if probe in OWN_URL and "source" in as_mapping(entry):
            span = locate(root, ("slis", name, "source"), key=True)
            message = f"a probe of kind {probe!r} has a URL and credentials of its own"
            document.add(span, "wrong-source", message, "remove source; gameday list prints its parameters")
        elif probe is not None and (probe in NEEDED or probe in ASKS or "source" in entry):
            choose_source(document, root, ("slis", name), (ASKS.get(probe, probe),))


def choose_source(document: Document, root: Node, path: Path, kinds: Sequence[str]) -> str | None:
    """Return the source that the entry at ``path`` asks, by its ``source:`` or as the only one of these kinds.

    None where it cannot be told, which is noted in the document.
    """
    known = source_kinds(root)
    fitting = tuple(name for name, kind in known.items() if kind in kinds)
    what = " or ".join(kinds)
    named = next((text for _, text in texts(find(root, (*path, "source")))), None)
    if named is not None:
        span = locate(root, (*path, "source"))
        if named in fitting:
            return named
        if named in known:
            message = f"{named!r} is a source of the kind {known[named]}, and this asks {what}"
            document.add(span, "wrong-source", message, f"of that kind: {', '.join(fitting) or 'none'}")
        else:
            hint = did_you_mean(named, known) or f"declare it: sources: {{{named}: {{kind: {kinds[0]}, url: …}}}}"
            document.add(span, "unknown-source", f"no source is called {shown(named)} under 'sources'", hint)
        return None
    if len(fitting) == 1:
        return fitting[0]
    span = locate(root, path, key=True)
    if fitting:
        message = f"there are {len(fitting)} sources of the kind {what}, and this does not say which"
        document.add(span, "several-sources", message, f"add source: {' or source: '.join(fitting)}")
    else:
        hint = f'declare it: sources: {{{kinds[0]}: {{url: "http://127.0.0.1:9090"}}}}'
        document.add(span, "missing-source", f"this asks a source of the kind {what}, and there is none", hint)
    return None


def source_of(experiment: Experiment, kind: str, named: str | None) -> str:
    """Return the name of the source that an entry of a valid file asks; empty where there is none."""
    fitting = [name for name, spec in experiment.sources.items() if (spec.kind or name) == kind]
    return named or (fitting[0] if fitting else "")


def _written_out(document: Document, root: Node, name: str) -> None:
    """Refuse a token that stands in the file: it would be copied into every run folder."""
    entry = find(root, ("sources", name))
    for secret in _SECRETS if isinstance(entry, Entries) else ():
        node = find(entry, (secret,))
        if isinstance(node, Value) and isinstance(node.value, str) and "${" not in node.value:
            example = f"variables: {{{name}_{secret}: {{env: {name.upper()}_{secret.upper()}, secret: true}}}}"
            message = f"the {secret} of source {name!r} is written out, and would be kept with every run"
            hint = f'make it a secret variable: {example}, and {secret}: "${{{name}_{secret}}}"'
            document.add(node.span, "secret", message, hint)
