"""Integration tests of writing and publishing campaigns."""
