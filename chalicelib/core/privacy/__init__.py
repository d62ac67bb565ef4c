"""Consent, opt-in, opt-out, suppression and erasure."""
