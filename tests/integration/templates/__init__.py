"""Integration tests of templates."""
