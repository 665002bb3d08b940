"""The run folder: an append-only, hash-chained journal with one writer, and a reader that survives a torn tail."""
