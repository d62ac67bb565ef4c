"""Workspaces, API keys, idempotency records and the audit log."""
