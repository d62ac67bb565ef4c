"""Scripted outcomes: the recipient's address selects what a local provider does.

- Phones (SMS, RCS, WhatsApp) and push endpoints: the last four digits, such as +12065550104.
- Mail: the start of the part before the @, such as `bounce@…`, `bounce+7@…` or `bounce-7@…`.
- Webhooks: `?fate=` in the URL.

| digits | mail, webhook | what happens |
|---|---|---|
| 0101 | `open` | delivered and read |
| – | `click` | delivered, opened, clicked |
| 0102 | – | delivered and answered |
| 0103 | – | delivered and answered with STOP |
| 0104 | `bounce` | accepted, then bounces: the address does not exist |
| 0105 | `softbounce` | accepted, then fails: unreachable for now |
| 0106 | `suppressionlist` | refused: the person has opted out (a mail is accepted and bounces) |
| 0107 | `throttle` | refused twice as too fast, then accepted and delivered |
| 0108 | `lost` | accepted and delivered; the first response is lost |
| 0109 | `broken` | refused with status 500 |
| 0110 | `closed` | refused: the account is closed |
| 0111 | `silent` | accepted, and never reported |
| – | `complaint` | delivered, then reported as spam |

Messages to other addresses are delivered. Pushes report only `0104`. Mails ignore `throttle`, `lost`, `broken` and
`closed`, since the embedded SES accepts them.
"""

from __future__ import annotations

import re
from enum import StrEnum


class ScriptedOutcome(StrEnum):
    """What a local provider does with a message."""

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
    "0101": ScriptedOutcome.OPEN,
    "0102": ScriptedOutcome.REPLY,
    "0103": ScriptedOutcome.STOP,
    "0104": ScriptedOutcome.BOUNCE,
    "0105": ScriptedOutcome.SOFT_BOUNCE,
    "0106": ScriptedOutcome.SUPPRESSED,
    "0107": ScriptedOutcome.THROTTLE,
    "0108": ScriptedOutcome.LOST,
    "0109": ScriptedOutcome.BROKEN,
    "0110": ScriptedOutcome.CLOSED,
    "0111": ScriptedOutcome.SILENT,
}
_MAIL_OUTCOMES = (
    ScriptedOutcome.OPEN,
    ScriptedOutcome.CLICK,
    ScriptedOutcome.BOUNCE,
    ScriptedOutcome.SOFT_BOUNCE,
    ScriptedOutcome.SUPPRESSED,
    ScriptedOutcome.SILENT,
    ScriptedOutcome.COMPLAINT,
)
#: Times that a throttled message is refused before it is accepted.
THROTTLE_REFUSALS = 2


def read_phone(phone: str) -> ScriptedOutcome:
    """Return the outcome of a phone number or endpoint, from its last four digits."""
    return _BY_DIGITS.get(phone[-4:], ScriptedOutcome.DELIVERED)


def read_mail_address(address: str) -> ScriptedOutcome:
    """Return the outcome of a mail address, from its leading `a` to `z`."""
    word = re.match(r"[a-z]*", address.rpartition("@")[0].lower())
    return next((outcome for outcome in _MAIL_OUTCOMES if word and outcome == word[0]), ScriptedOutcome.DELIVERED)


def read_word(word: str) -> ScriptedOutcome:
    """Return the outcome with this name, DELIVERED for an unknown one."""
    return ScriptedOutcome(word) if word in set(ScriptedOutcome) else ScriptedOutcome.DELIVERED
