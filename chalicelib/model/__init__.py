"""The nouns: plain values without storage, clock or network."""
