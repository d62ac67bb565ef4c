"""Chance that can be repeated: numbers from a hash of what they are for."""

from hashlib import blake2b


def stable_fraction(*about: object) -> float:
    """A number in [0, 1), always the same for the same `about`, evenly spread over different ones."""
    text = "\x1f".join(str(part) for part in about)
    return int.from_bytes(blake2b(text.encode(), digest_size=7).digest()) / 2**56
