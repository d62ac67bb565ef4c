"""Accept events, store them, and start executions from them."""
