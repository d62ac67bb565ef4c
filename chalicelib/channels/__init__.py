"""The channel types: one file each, joined in `registry`."""
