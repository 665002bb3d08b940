"""The one imperative heart: executes a timeline, writes the journal, always reverts."""
