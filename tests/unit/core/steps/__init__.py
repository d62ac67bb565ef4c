"""Unit tests of processing steps."""
