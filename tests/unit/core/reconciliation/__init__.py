"""Unit tests of recounting and completing flows."""
