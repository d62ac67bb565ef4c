"""Domain model: plain values without access to storage, clock or network."""
