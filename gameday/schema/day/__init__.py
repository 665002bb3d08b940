"""The game-day file: experiments, people and time. ``load_day`` in gameday.schema.day.loader reads one."""
