"""Unit tests of templates."""
