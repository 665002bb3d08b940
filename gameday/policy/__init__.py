"""``gameday.toml``: which environments there are, and what a run may do in each; whoever starts it, by whatever flags."""
