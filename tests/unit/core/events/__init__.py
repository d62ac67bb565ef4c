"""Unit tests of events."""
