"""Validate, compile and publish campaigns."""
