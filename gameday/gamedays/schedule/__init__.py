"""When game days run by themselves: times, gates, decisions, and the server that keeps to them."""
