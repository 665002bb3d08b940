"""A static site over many runs: what is proven, what is open, and every run; pure, from one small record of each run."""
