"""Every way in which ``chaos run`` ends 0 without proof, told once for each of the two tools."""
