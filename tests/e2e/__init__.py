"""End to end: the local stack as a user starts it."""
