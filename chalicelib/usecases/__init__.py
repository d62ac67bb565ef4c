"""The verbs of the system, one per file: each loads, decides by pure code, and saves through the ports."""
