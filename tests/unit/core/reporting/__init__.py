"""Unit tests of reports and lists."""
