"""A schedule for an existing engine. What the engine cannot express, the command that it runs checks: ``gameday day run --scheduled``."""
