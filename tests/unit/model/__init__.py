"""The nouns: what they accept, and the tables that they hold."""
