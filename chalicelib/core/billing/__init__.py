"""Charge messages, top up the balance, and price AWS usage."""
