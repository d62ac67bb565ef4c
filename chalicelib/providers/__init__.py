"""Channel types and the clients of their providers."""
