"""What SES lets an account send (`GetAccount`), asked once in a while."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from chalicelib.model.channel import RateLimits
from chalicelib.providers.aws_errors import AWS_ERRORS

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

#: AWS raises quotas by hand or within a day; GetAccount is throttled at one call a second.
KEPT_SECONDS = 600
#: After a call that failed what was known counts on.
PATIENCE_SECONDS = 60


class SesQuota:
    """Per process; the clock is that of the machine, since the quota is AWS's."""

    def __init__(self, client: SESV2Client) -> None:
        self._client = client
        self._known = RateLimits()
        self._good_until = 0.0

    def read(self) -> RateLimits:
        """Ten minutes old at most, where SES answers."""
        now = time.monotonic()
        if not self._good_until or now >= self._good_until:
            try:
                quota = self._client.get_account().get("SendQuota", {})
                self._known = RateLimits(_limit(quota.get("MaxSendRate")), _whole(quota.get("Max24HourSend")))
                self._good_until = now + KEPT_SECONDS
            except AWS_ERRORS:
                self._good_until = now + PATIENCE_SECONDS
        return self._known


def _limit(told: float | None) -> float | None:
    """-1 is without a limit, and 0 that of an account that may not send: SES says so itself when asked to."""
    return float(told) if told and told > 0 else None


def _whole(told: float | None) -> int | None:
    limit = _limit(told)
    return int(limit) if limit else None
