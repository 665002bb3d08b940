"""SVG charts of our own: small, without scripts, right in the dark, in print and under a strict content policy."""
