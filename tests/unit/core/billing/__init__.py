"""Unit tests of balance and cost."""
