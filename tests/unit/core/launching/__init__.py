"""Unit tests of launching campaigns."""
