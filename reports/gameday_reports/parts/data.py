"""Raw data: the files of the run folder, and the figures themselves while the page stays small."""

from __future__ import annotations

FILES = (
    ("experiment.yaml", "the experiment as it was written, byte for byte"),
    ("plan.json", "the resolved experiment, versions and the command"),
    ("journal.ndjson", "everything that happened, hash-chained"),
    ("samples.ndjson", "everything the load measured: counts in 100 ms slots, latencies in histograms"),
    ("verdict.json", "everything that was judged; every figure of this page is from it or from samples.ndjson"),
    ("junit.xml", "the same verdict for CI"),
)
