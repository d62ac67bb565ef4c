"""Integration tests of delivery reports."""
