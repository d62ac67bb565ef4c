"""Fault injection at every call of a port and at every AWS call, with the invariants that must hold after each run."""
