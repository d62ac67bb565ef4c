"""Integration tests of contacts."""
