"""Integration tests of launching campaigns."""
