"""Integration tests of what all API routes share."""
