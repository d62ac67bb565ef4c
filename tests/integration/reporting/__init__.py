"""Integration tests of reports and lists."""
