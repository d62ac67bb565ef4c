"""Count the SMS of a text: GSM-7 if its alphabet suffices, else UCS-2 (3GPP TS 23.038)."""

from collections.abc import Sequence
from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Characters with an escape, which take two septets.
_EXTENDED = frozenset("^{}\\[~]|€\f")


@dataclass(frozen=True, slots=True)
class Segments:
    """The encoding and size of a text. `length` is in septets or 16-bit units."""

    encoding: str
    length: int
    segments: int


def count_segments(text: str) -> Segments:
    """Split a text into parts of 160 septets, or 153 if there are several; 70 and 67 units in UCS-2."""
    if all(character in _BASIC or character in _EXTENDED for character in text):
        return _count("GSM-7", [2 if character in _EXTENDED else 1 for character in text], (160, 153))
    return _count("UCS-2", [2 if ord(character) > 0xFFFF else 1 for character in text], (70, 67))


def _count(encoding: str, places: Sequence[int], limits: tuple[int, int]) -> Segments:
    length, (single, each) = sum(places), limits
    if length <= single:
        return Segments(encoding, length, 1 if length else 0)
    parts, used = 1, 0
    for width in places:
        if used + width > each:
            parts, used = parts + 1, 0
        used += width
    return Segments(encoding, length, parts)
