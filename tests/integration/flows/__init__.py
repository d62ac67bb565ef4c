"""Integration tests of flows."""
