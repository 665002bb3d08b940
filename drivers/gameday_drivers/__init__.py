"""The fault drivers that ship with gameday: one file, or one folder, per driver family."""
