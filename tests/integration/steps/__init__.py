"""Integration tests of processing steps."""
