"""Integration tests of webhooks and alerts."""
