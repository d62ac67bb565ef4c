"""Filter contacts by segment, and count, select and preview members."""
