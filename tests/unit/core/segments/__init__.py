"""Unit tests of segments."""
