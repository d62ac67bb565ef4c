"""Repeatable random numbers, from a hash of their purpose."""

from hashlib import blake2b


def stable_fraction(*about: object) -> float:
    """Return a number in [0, 1): the same for the same `about`, and uniformly distributed over different ones."""
    text = "\x1f".join(str(part) for part in about)
    return int.from_bytes(blake2b(text.encode(), digest_size=7).digest()) / 2**56
