"""Reasons to skip a contact, at one SEND or for the whole flow."""

from enum import StrEnum


class SkipReason(StrEnum):
    """Reasons in statistics, executions and estimates. `skip_reason_for` adds those that carry a provider's code."""

    CHANNEL_NOT_FOUND = "channel_not_found"
    CHANNEL_NOT_APPROVED = "channel_not_approved"
    CHANNEL_INACTIVE = "channel_inactive"
    CHANNEL_TYPE_UNKNOWN = "channel_type_unknown"
    #: `contact_` and the status in lower case; see `of_status`.
    CONTACT_UNSUBSCRIBED = "contact_unsubscribed"
    CONTACT_BOUNCED = "contact_bounced"
    CONTACT_BLOCKED = "contact_blocked"
    CONTACT_NOT_FOUND = "contact_not_found"
    SUPPRESSED = "suppressed"
    CONSENT_REVOKED = "consent_revoked"
    NO_CONSENT = "no_consent"
    NO_ADDRESS = "no_address"
    #: The channel type is known not to reach this address.
    NOT_CAPABLE = "not_capable"
    MISSING_TEMPLATE_PARAMETER = "missing_template_parameter"
    #: The flow was cancelled before the execution ended.
    CANCELLED = "cancelled"

    @classmethod
    def of_status(cls, status: str) -> "SkipReason":
        """Return the reason for a contact that is not ACTIVE, by its status, such as `BLOCKED`."""
        return cls(f"contact_{status.lower()}")


def skip_reason_for(code: str) -> str:
    """Return the reason for an address that the provider reports as suppressed, with the provider's code."""
    return f"suppressed_{code}"
