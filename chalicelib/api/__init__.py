"""HTTP routes, one blueprint per resource. A route parses, calls one use case and builds the response."""
