"""Recount flows, end them, and repair what a crash left behind."""
