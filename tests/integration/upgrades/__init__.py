"""Integration tests of two releases that run side by side."""
