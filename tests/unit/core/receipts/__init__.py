"""Unit tests of delivery reports."""
