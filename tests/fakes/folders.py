"""A run told in memory (stories, sample runs) as the folder that it would have left."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from gameday.journal.folder import read_run
from gameday.journal.reader import GENESIS, digest
from gameday.judge import judge, to_bytes
from gameday.load.protocol import encode
from gameday.load.samples import SampleWriter
from gameday.model import LoadSeries, Run, Tick


def write_run(path: Path, run: Run, **plan: Any) -> Path:
    """Write the folder of a run, judged unless the run brings a verdict; ``plan`` changes members of its plan.json."""
    path.mkdir(parents=True)
    document = {
        "schema": "gameday/plan/1",
        "run_id": path.name,
        "seed": 7,
        "digest": "d",
        "experiment": run.experiment,
        "source": "experiments/payments.yaml",
        "variant": {},
        "environment": {"gameday": "0.1.0", "python": "3.11.7"},
        "command": ["gameday", "run"],
        **run.plan,
        **plan,
    }
    (path / "plan.json").write_text(json.dumps(document))
    (path / "experiment.yaml").write_text(json.dumps(run.experiment, indent=1))
    (path / "journal.ndjson").write_bytes(_journal(run))
    _write_samples(path / "samples.ndjson", run)
    verdict = run.verdict if run.verdict is not None else judge(replace(read_run(path), name=run.name))
    (path / "verdict.json").write_bytes(to_bytes(verdict))
    return path


def _journal(run: Run) -> bytes:
    lines: list[bytes] = []
    head = GENESIS
    for event in run.events:
        record = {"seq": event.seq, "kind": event.kind, "at_ms": event.at_ms, "wall": event.wall, "prev": head}
        line = json.dumps({**record, "data": dict(event.data)}).encode()
        head = digest(line)
        lines.append(line + b"\n")
    return b"".join(lines)


def _write_samples(path: Path, run: Run) -> None:
    with SampleWriter(path) as writer:
        writer.write({"t": "agg", **_agg(run.load)})
        for tick in run.load.ticks:
            writer.write(_tick(tick))
        for reading in run.gauges:
            writer.write_gauge(reading)
        if run.load.said_bye:
            total = sum(row.count for row in run.load.rows)
            writer.write({"t": "bye", "offered": total, "completed": total, "drained": True})


def _agg(load: LoadSeries) -> dict[str, Any]:
    return json.loads(  # type: ignore[no-any-return]
        encode(
            {
                "rows": [[row.slot, row.endpoint, row.kind, row.count, _keys(row.slower)] for row in load.rows],
                "hist": [[h.second, h.endpoint, h.count, h.sum_ms, _keys(h.buckets)] for h in load.histograms],
            }
        )
    )


def _keys(counts: Any) -> dict[str, int]:
    return {str(key): count for key, count in counts.items()}


def _tick(tick: Tick) -> dict[str, Any]:
    names = Tick.__dataclass_fields__
    return {"t": "tick", **{name: getattr(tick, name) for name in names}}
