"""Traffic whose truth is known, and the rules that have to find it out."""
