"""Why a contact is passed over: by one SEND, or by the whole flow."""

from enum import StrEnum


class SkipReason(StrEnum):
    """What statistics, executions and estimates call it; a provider's own refusal is `skip_reason_for` its code."""

    CHANNEL_NOT_FOUND = "channel_not_found"
    CHANNEL_NOT_APPROVED = "channel_not_approved"
    CHANNEL_INACTIVE = "channel_inactive"
    CHANNEL_TYPE_UNKNOWN = "channel_type_unknown"
    #: With the status in lower case, as `of_status` finds it.
    CONTACT_UNSUBSCRIBED = "contact_unsubscribed"
    CONTACT_BOUNCED = "contact_bounced"
    CONTACT_BLOCKED = "contact_blocked"
    CONTACT_NOT_FOUND = "contact_not_found"
    SUPPRESSED = "suppressed"
    CONSENT_REVOKED = "consent_revoked"
    NO_CONSENT = "no_consent"
    NO_ADDRESS = "no_address"
    #: The medium is known not to reach this address.
    NOT_CAPABLE = "not_capable"
    MISSING_TEMPLATE_PARAMETER = "missing_template_parameter"
    #: The flow was cancelled before the contact's walk was over.
    CANCELLED = "cancelled"

    @classmethod
    def of_status(cls, status: str) -> "SkipReason":
        """Of a contact whose status, such as `BLOCKED`, is not ACTIVE."""
        return cls(f"contact_{status.lower()}")


def skip_reason_for(code: str) -> str:
    """The reason where the provider says that the address wants nothing more, by the provider's code."""
    return f"suppressed_{code}"
