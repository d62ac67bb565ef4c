"""The use cases over ports in memory."""
