"""Integration tests of consent, suppression and erasure."""
