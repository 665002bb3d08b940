"""The reports that ship with gameday: pure renderers of a run."""
