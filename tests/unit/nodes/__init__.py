"""The node types, driven by their cases."""
