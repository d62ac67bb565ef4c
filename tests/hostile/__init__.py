"""Hostile requests as data. Tests check the responses; the benchmark measures their cost."""
