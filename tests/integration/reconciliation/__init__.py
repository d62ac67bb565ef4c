"""Integration tests of recounting and completing flows."""
