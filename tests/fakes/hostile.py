"""Files made to cost much, and a program that reads each of them and prints what it cost.

    python -m tests.fakes.hostile      one JSON object a line: name, seconds (of processor time), code (of the first error)

The last line is ``{"peak_mb": …}``, the most memory that the whole program ever had.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from gameday.schema.compose import MAX_ALIASES, MAX_DEPTH
from gameday.schema.errors import ExperimentErrors
from gameday.schema.loader import load_experiments
from gameday.schema.yamlfile import MAX_BYTES

MIB = MAX_BYTES
_HEAD = "version: 1\ntitle: t\n"
_LOAD = _HEAD + "load:\n  target: http://a\n  rate: 1/s\n  requests:\n"
_NAMES = [f"{'ab' * 12}{i:05}" for i in range(4_000)]
BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40))
SYNTAX: dict[str, tuple[str | bytes, str]] = {
    "aliases that double forty times": (BOMB, "too-large"),
    "more aliases than allowed": ("a: &a x\nb: [" + "*a, " * (MAX_ALIASES + 1) + "]", "too-large"),
    "an alias that contains itself": ("a: &a {b: [*a]}", "yaml-syntax"),
    "a merge that contains itself": ("a: &a {<<: *a}", "yaml-syntax"),
    "an alias of nothing": ("a: *b", "yaml-syntax"),
    "brackets": ("[" * MIB, "too-large"),
    "braces": ("{a: " * (MIB // 4), "too-large"),
    "depth by indentation": ("\n".join(" " * depth + "a:" for depth in range(MAX_DEPTH + 2)), "too-large"),
    "depth by aliases": ("a: &a " + "[" * 40 + "]" * 40 + "\nb: " + "[" * 40 + "*a" + "]" * 40, "too-large"),
    "dashes": ("- " * (MIB // 2), "too-large"),
    "many nodes": ("[" + "a," * (MIB // 2 - 1) + "]", "too-large"),
    "many small lists": ("[" + "[a]," * (MIB // 4 - 1) + "]", "too-large"),
    "many small mappings": ("[" + "{a: b}," * (MIB // 7 - 1) + "]", "too-large"),
    "many keys": ("".join(f"k{i}: v\n" for i in range(49_000)), "too-large"),
    "many lines": ("\n" * (MIB - 1), "too-large"),
    "many documents": ("---\n" * 40_000, "yaml-syntax"),
    "a control character": ("a: \x01", "yaml-syntax"),
    "a NUL": (b"a: \0", "yaml-syntax"),
    "UTF-16": ("a: 1".encode("utf-16"), "encoding"),
    "Latin-1": ("a: Zwölf".encode("latin-1"), "encoding"),
    "a lone surrogate": (b"a: \xed\xa0\x80", "encoding"),
    "a tag that makes an object": ("a: !!python/object/apply:os.system [true]", "yaml-syntax"),
    "a key that is a list": ("[a]: b", "yaml-syntax"),
    "quotes without end": ("a: '" + "x" * (MIB - 10), "yaml-syntax"),
    "percents": ("%" * MIB, "yaml-syntax"),
    "colons": (":" * MIB, "yaml-syntax"),
    "anchors": ("&a " * (MIB // 3), "yaml-syntax"),
    "a tab for indentation": ("a:\n\tb: c\n", "yaml-syntax"),
}
"""Refused while they are read as YAML: the code of the only error."""
MEANING: dict[str, str] = {
    "unknown keys": _HEAD + "".join(f"k{i}: v\n" for i in range(12_000)),
    "duplicate keys": _HEAD + "k: v\n" * 12_000,
    "words": "a: " + "x " * (MIB // 2 - 5),
    "many wrong requests": _LOAD + "    - {name: a, gte: /}\n" * 4_000,
    "many wrong faults": _HEAD + "faults:\n" + "  - a: {do: proxy.down, fro: 5s}\n" * 3_500,
    "many wrong objectives": _HEAD
    + "objectives:\n"
    + "".join(f"  o{i}: {{expect: max(q) < 5}}\n" for i in range(6_000)),
    "templates without end": _LOAD + "    - {name: b, post: /, body: '" + "{{" * 400_000 + "'}\n",
    "many templates": _LOAD + "    - {name: b, post: /, body: '" + "{{ a }}" * 140_000 + "'}\n",
    "names in a template": _LOAD + "    - {name: b, post: /, body: '{{ " + " ".join(_NAMES) + " }}'}\n",
    "references without end": _HEAD + "hypothesis: '" + "${a" * 300_000 + "'\n",
    "many references": _HEAD + "hypothesis: '" + "${a}" * 250_000 + "'\n",
    "a long value, often": f"variables: {{a: '{'x' * 100_000}'}}\n{_HEAD}hypothesis: '" + "${a}" * 200_000 + "'\n",
    "names much alike": f"variables: {{{', '.join(f'{name}: x' for name in _NAMES)}}}\n{_HEAD}tags:\n"
    + "".join(f"- ${{{name}x}}\n" for name in _NAMES),
    "parentheses in a pattern": _HEAD + "system: {a: {run: [x], ready: {log: '" + "(" * 100_000 + "'}}}\n",
    "a long objective": _HEAD + "objectives: {a: {expect: '" + "errors < " * 100_000 + "'}}\n",
    "a long rule": _HEAD + "abort: ['" + "errors lose " * 80_000 + "']\n",
    "a long check": _LOAD + "    - {name: a, get: /, check: ['" + "json.a" * 150_000 + "']}\n",
    "a long number": _HEAD + "phases: {warmup: " + "9" * 1_000_000 + "s}\n",
    "a long path": _LOAD + "    - {name: a, get: /" + "a/" * 500_000 + "}\n",
    "a long URL": _HEAD + "load: {target: 'http://" + "a:b@" * 250_000 + "'}\n",
    "a large matrix": _HEAD + "matrix: {a: [1, 2, 3, 4, 5, 6, 7, 8, 9]}\ndata: {d: [" + "1, " * 24_000 + "1]}\n",
    "an endless matrix": _HEAD + "matrix: {" + ", ".join(f"a{i}: [1, 2]" for i in range(4_000)) + "}\n",
    "data of much text": _HEAD + "data: {d: [" + "x" * 1_000_000 + "]}\n",
}
"""YAML that is no valid experiment."""


NOTABLE = 1.5
"""Seconds from which a cost is measured twice."""


def _peak_mb() -> float:
    """The most memory of this program alone: rusage begins with what its parent had when it was forked."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:")).split()[1]) / 1024


def _cost(path: Path) -> tuple[str, float]:
    """Read a file; return the code of its first error, and the seconds of processor time that it took."""
    began = time.process_time()
    try:
        load_experiments(path)
        code = "valid"
    except ExperimentErrors as errors:
        code = errors.errors[0].code
    return code, time.process_time() - began


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (300, 300))
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "f.yaml"
        texts = {name: text for name, (text, _) in SYNTAX.items()} | dict(MEANING)
        for title, text in texts.items():
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            code, spent = _cost(path)
            if spent > NOTABLE:  # whatever else the machine does can only add to it
                spent = min(spent, _cost(path)[1])
            sys.stdout.write(json.dumps({"name": title, "seconds": round(spent, 3), "code": code}) + "\n")
    sys.stdout.write(json.dumps({"peak_mb": _peak_mb()}) + "\n")


if __name__ == "__main__":
    main()
