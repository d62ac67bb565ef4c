"""Describe flows, list executions, draw timelines and export."""
