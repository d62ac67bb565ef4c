"""Unit tests of consent, suppression and erasure."""
