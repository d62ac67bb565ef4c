"""Unit tests of writing and publishing campaigns."""
