"""Integration tests of workspaces and keys."""
