"""Integration tests of events."""
