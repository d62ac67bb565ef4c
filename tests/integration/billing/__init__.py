"""Integration tests of balance and cost."""
