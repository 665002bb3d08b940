"""A game day while it is on and afterwards: its folder, who says what, what is next, and what it came to."""
