"""Campaigns: trigger, audience and steps, as a draft and as immutable versions."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Field, JsonValue, model_validator

from chalicelib.model.base import Moment, StoredDocument, StrictModel, Uid
from chalicelib.model.durations import Duration
from chalicelib.model.flow_configuration import FlowConfiguration
from chalicelib.model.template import Defaults, Parameters, ParameterStrategy
from chalicelib.model.trigger import START_GRACE, EntryPolicy, ManualTrigger, Schedule, Trigger


class Availability(StrEnum):
    """Availability of a campaign. Only ACTIVE campaigns start flows; BLOCKED also pauses running flows."""

    ACTIVE = "ACTIVE"
    PENDING = "PENDING"
    DEPRECATED = "DEPRECATED"
    INACTIVE = "INACTIVE"
    BLOCKED = "BLOCKED"


class CampaignState(StrEnum):
    """The state of a campaign, derived from its flows."""

    DRAFT = "DRAFT"
    SCHEDULED = "SCHEDULED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    PAUSED_ERROR = "PAUSED_ERROR"
    PAUSED_BALANCE = "PAUSED_BALANCE"
    COMPLETED = "COMPLETED"
    COMPLETED_PARTIAL = "COMPLETED_PARTIAL"


#: More contacts are added with `POST /v1/flows/{uid}/contacts` (api.md).
MAX_CONTACTS_PER_CALL = 10_000
ContactUids = Annotated[tuple[Uid, ...], Field(min_length=1, max_length=MAX_CONTACTS_PER_CALL)]
#: Maximum of JSON values in a request body with a list of contacts; leaves room for a complete set of steps.
MAX_VALUES = 12_000


class Audience(StrictModel):
    """The contacts of a campaign: a segment, or a list of contact uids."""

    segment_uid: Uid | None = None
    """Segment whose members are the audience."""
    contact_uids: ContactUids | None = None
    """Contacts that are the audience; not together with `segmentUid`."""

    @model_validator(mode="after")
    def _check_exclusive(self) -> Self:
        if (self.segment_uid is None) == (self.contact_uids is None):
            raise ValueError("set either segmentUid or contactUids")
        return self


TemplateName = Annotated[str, Field(max_length=200)]


class ShortForm(StrictModel):
    """A campaign that sends one template; stored as the steps SEND → END."""

    channel_uid: Uid
    template_uid: Uid | None = None
    template_name: TemplateName | None = None
    parameter_strategy: ParameterStrategy = ParameterStrategy.USE_CONTACT_ASSOCIATION
    parameters: Parameters = {}
    parameter_defaults: Defaults = {}

    @model_validator(mode="after")
    def _check_exclusive(self) -> Self:
        if (self.template_uid is None) == (self.template_name is None):
            raise ValueError("set either templateUid or templateName")
        return self


class Campaign(StoredDocument):
    """A campaign's draft and the state of its versions. `steps` are stored as written, even if they have problems."""

    kind: ClassVar[str] = "CAMPAIGN"

    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: Annotated[str, Field(max_length=2000)] = ""
    availability: Availability = Availability.ACTIVE
    trigger: Trigger = ManualTrigger()
    audience: Audience | None = None
    steps: tuple[JsonValue, ...] = ()
    #: Set for a campaign in the short form. Its channel becomes the channel of its flows.
    short_form: ShortForm | None = None
    configuration: FlowConfiguration = FlowConfiguration()
    #: Whether a contact may enter an event campaign again.
    entry: EntryPolicy = EntryPolicy()
    #: A scheduled start that is later than this is skipped.
    start_grace: Duration = START_GRACE
    #: Set while a scheduled campaign is launched.
    schedule: Schedule | None = None
    latest_version: int = 0
    #: Whether the draft differs from the latest version.
    draft_changed: bool = True

    @property
    def due_at(self) -> datetime | None:
        return self.schedule.due if self.schedule else None

    @property
    def is_scheduled(self) -> bool:
        """Report whether a scheduled start is still to come."""
        return self.due_at is not None

    def filter_attributes(self) -> Mapping[str, str]:
        marks = {"availability": str(self.availability), "name": self.name.casefold()}
        if channels := sorted(_channels_in(self.steps)):
            marks["channelUid"] = f"|{'|'.join(channels)}|"
        if self.audience and self.audience.segment_uid:
            marks["segmentUid"] = self.audience.segment_uid
        return marks


def _channels_in(written: JsonValue | tuple[JsonValue, ...]) -> set[str]:
    """Return every channel that the steps name, at any depth. The steps may still have problems."""
    if isinstance(written, list | tuple):
        return {uid for each in written for uid in _channels_in(each)}
    if not isinstance(written, dict):
        return set()
    named = {uid for name in ("channelUid", "channel_uid") if isinstance(uid := written.get(name), str)}
    return named | {uid for each in written.values() for uid in _channels_in(each)}


class CampaignVersion(StrictModel):
    """A published version of a campaign. It never changes; every template is pinned to a version in `templates`."""

    version: int
    """Number of the version, from 1."""
    campaign_uid: Uid
    """Campaign that was published."""
    name: str
    """Name of the campaign when it was published."""
    steps: tuple[JsonValue, ...]
    """Steps of this version."""
    configuration: FlowConfiguration = FlowConfiguration()
    """Pacing, retries and timeouts of the flows of this version."""
    trigger: Trigger = ManualTrigger()
    """What starts a flow: an operator, a call, a schedule, or an event."""
    entry: EntryPolicy = EntryPolicy()
    """Whether and when a contact may enter an event campaign again."""
    templates: Mapping[str, int] = {}
    """Version of the template by SEND step id."""
    channel_uid: str | None = None
    """Channel of the SEND steps that name none."""
    published_at: Moment
    """Time of the publication."""
