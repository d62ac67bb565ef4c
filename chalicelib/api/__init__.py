"""HTTP: one blueprint per resource; a route parses, calls one use case and shapes its answer."""
