"""What Carillon costs: calls, units, bytes, CPU and seconds, measured and printed, never asserted."""
