"""Configuration of a flow: pacing, retries and timeouts."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, model_validator

from chalicelib.model.base import StrictModel

Milliseconds = Annotated[int, Field(ge=0, le=86_400_000)]


class FlowConfiguration(StrictModel):
    """Pacing, retries and timeouts of a flow, in milliseconds."""

    pause_between_contacts_ms: Milliseconds = 0
    """Pause between the starts of two sends, in ms; 0 to 86,400,000, default 0."""
    pause_between_contacts_salt_ms: Milliseconds = 0
    """Largest random deviation from the pause, in ms; at most `pauseBetweenContactsMs`, default 0."""
    max_concurrent_messages: Annotated[int, Field(ge=1, le=10)] | None = None
    """Number of concurrent sends, 1 to 10; null leaves the limit to the channel, or means 1 with a pause."""
    max_retries: Annotated[int, Field(ge=0, le=20)] = 3
    """Largest number of retries of a send that failed with a transient error; 0 to 20, default 3."""
    retry_delay_ms: Annotated[int, Field(ge=0, le=3_600_000)] = 5_000
    """Shortest delay before a retry, in ms; 0 to 3,600,000, default 5,000."""
    timeout_ms: Annotated[int, Field(ge=1_000, le=604_800_000)] = 300_000
    """Longest wait for a delivery report after the provider accepted the message, in ms; 1,000 to 604,800,000,
    default 300,000."""

    @model_validator(mode="after")
    def _salt_fits(self) -> "FlowConfiguration":
        if self.pause_between_contacts_salt_ms > self.pause_between_contacts_ms:
            raise ValueError(
                f"pauseBetweenContactsSaltMs ({self.pause_between_contacts_salt_ms}) may not be larger than "
                f"pauseBetweenContactsMs ({self.pause_between_contacts_ms})"
            )
        return self

    @property
    def lanes(self) -> int | None:
        """Number of concurrent sends. None means that only the channel limits them."""
        if self.max_concurrent_messages is None and self.pause_between_contacts_ms:
            return 1
        return self.max_concurrent_messages

    @property
    def pause(self) -> timedelta:
        """Base pause between the starts of two sends of one lane."""
        return timedelta(milliseconds=self.pause_between_contacts_ms)

    @property
    def salt(self) -> timedelta:
        """Largest deviation from the base pause."""
        return timedelta(milliseconds=self.pause_between_contacts_salt_ms)

    @property
    def retry_delay(self) -> timedelta:
        """Shortest delay before a retry."""
        return timedelta(milliseconds=self.retry_delay_ms)

    @property
    def timeout(self) -> timedelta:
        """Longest wait for a delivery report after the provider accepted the message."""
        return timedelta(milliseconds=self.timeout_ms)
