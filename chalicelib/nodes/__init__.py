"""The node types: one file each, joined in `registry`."""
