"""No fault outlives its run: driver hosts, the watchdog, and recover."""
