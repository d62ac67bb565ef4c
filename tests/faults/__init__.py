"""Faults at every call of the protocol, at the ports and under the real adapters, and what must hold after each."""
