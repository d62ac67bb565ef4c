"""The verbs: pure decisions."""
