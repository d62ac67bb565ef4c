"""Decide which sends of a batch may go now. Each check is one module and one entry in `checks.CHECKS`."""
