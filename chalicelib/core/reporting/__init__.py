"""Describe flows, list executions, build timelines and export."""
