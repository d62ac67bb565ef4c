"""Unit tests of webhooks and alerts."""
