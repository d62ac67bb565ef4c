"""Long runs against the local stack, by hand: `make torture`."""
