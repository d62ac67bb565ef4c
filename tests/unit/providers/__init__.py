"""The channel types: requests built, answers read."""
