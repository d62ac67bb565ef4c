"""Circuit breaker, rate limit, pacing and settings of channels."""
