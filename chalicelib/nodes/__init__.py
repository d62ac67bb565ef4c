"""Node types: one file for each, listed in `registry`."""
