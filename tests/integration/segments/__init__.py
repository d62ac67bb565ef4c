"""Integration tests of segments."""
