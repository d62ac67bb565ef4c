"""Create, start, control, fill and retry flows."""
