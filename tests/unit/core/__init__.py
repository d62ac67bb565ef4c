"""Unit tests of the core, one folder per capability."""
