"""The verbs: pure decisions over the nouns."""
