"""Unit tests of workspaces and keys."""
