"""Magic addresses: what becomes of a message by whom it is written to.

Phones (SMS, RCS, WhatsApp) by their last four digits, such as +12065550104, push endpoints by their last four too;
mails by how the part before the @ begins, such as `bounce@…`, `bounce+7@…` or `bounce-7@…`; webhooks by `?fate=` in
their URL:

| digits | mail, webhook | what happens |
|---|---|---|
| 0101 | `open` | delivered and read |
| – | `click` | delivered, opened, clicked |
| 0102 | – | delivered and answered |
| 0103 | – | delivered and answered with STOP |
| 0104 | `bounce` | taken, then the address does not exist |
| 0105 | `softbounce` | taken, then unreachable for now |
| 0106 | `suppressionlist` | refused: the person has opted out (a mail is taken and bounces) |
| 0107 | `throttle` | refused twice as too fast, then taken and delivered |
| 0108 | `lost` | taken and delivered, but the answer is lost, the first time |
| 0109 | `broken` | 500, not taken |
| 0110 | `closed` | refused: the account is closed |
| 0111 | `silent` | taken, and never heard of again |
| – | `complaint` | delivered, and complained of as spam |

Everybody else's is delivered. Of pushes only `0104` is reported. `throttle`, `lost`, `broken` and `closed` are not for
mails, which the embedded SES takes.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Fate(StrEnum):
    """What becomes of a message."""

    DELIVERED = "delivered"
    OPEN = "open"
    CLICK = "click"
    REPLY = "reply"
    STOP = "stop"
    BOUNCE = "bounce"
    SOFT_BOUNCE = "softbounce"
    SUPPRESSED = "suppressionlist"
    THROTTLE = "throttle"
    LOST = "lost"
    BROKEN = "broken"
    CLOSED = "closed"
    SILENT = "silent"
    COMPLAINT = "complaint"


_BY_DIGITS = {
    "0101": Fate.OPEN,
    "0102": Fate.REPLY,
    "0103": Fate.STOP,
    "0104": Fate.BOUNCE,
    "0105": Fate.SOFT_BOUNCE,
    "0106": Fate.SUPPRESSED,
    "0107": Fate.THROTTLE,
    "0108": Fate.LOST,
    "0109": Fate.BROKEN,
    "0110": Fate.CLOSED,
    "0111": Fate.SILENT,
}
_OF_MAILS = (Fate.OPEN, Fate.CLICK, Fate.BOUNCE, Fate.SOFT_BOUNCE, Fate.SUPPRESSED, Fate.SILENT, Fate.COMPLAINT)
#: How often a throttled message is refused before it is taken.
THROTTLED_TIMES = 2


def read_phone(phone: str) -> Fate:
    """By its last four digits."""
    return _BY_DIGITS.get(phone[-4:], Fate.DELIVERED)


def read_mail_address(address: str) -> Fate:
    """By the word before the @, up to the first character that is no letter."""
    word = re.match(r"[a-z]*", address.rpartition("@")[0].lower())
    return next((fate for fate in _OF_MAILS if word and fate == word[0]), Fate.DELIVERED)


def read_word(word: str) -> Fate:
    """By its own name."""
    return Fate(word) if word in set(Fate) else Fate.DELIVERED
