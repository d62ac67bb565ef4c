"""Create, change and delete campaigns, either as nested steps or in the short form with one template."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, ClassVar, Self

from pydantic import BeforeValidator, Field, JsonValue, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from chalicelib.core.flows.control_flow import pause_flow
from chalicelib.core.flows.merge_configuration import ConfigurationChange, merge_configuration
from chalicelib.core.launching.control_campaign import IDLE, open_flows, state_of
from chalicelib.errors import Conflict, InvalidRequest, Problem, invalid
from chalicelib.model.base import StrictModel, Uid
from chalicelib.model.campaign import MAX_VALUES, Audience, Availability, Campaign, ShortForm, TemplateName
from chalicelib.model.durations import Duration
from chalicelib.model.flow import FlowStatus
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.pause import PauseCause, PauseReason
from chalicelib.model.template import Defaults, Parameters, ParameterStrategy, Template
from chalicelib.model.trigger import EntryPolicy, ManualTrigger, Trigger
from chalicelib.model.validation_problems import validation_problems
from chalicelib.ports import Ports

#: Most steps of a request. It exceeds the limit of the compiler, so that the compiler can report the actual number.
MAX_WRITTEN_STEPS = 1_000
#: Fields that a version copies from its campaign.
VERSIONED = ("steps", "name", "configuration", "trigger", "entry")
_SHORT_FIELDS = frozenset(ShortForm.model_fields)


def _documented_as(kind: object) -> BeforeValidator:
    """Accept any JSON, but document a type. ShortForm validates the value after merging it with the stored form."""
    return BeforeValidator(lambda value: value, json_schema_input_type=kind)


class CampaignFields(StrictModel):
    """The fields of a campaign. Set either `steps` or the fields of the short form."""

    max_values: ClassVar[int] = MAX_VALUES + 3_000

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Name of the campaign, 1 to 200 characters."""
    description: Annotated[str, Field(max_length=2_000)] | None = None
    """Free text for operators, at most 2,000 characters."""
    availability: Availability | None = None
    """Whether the campaign may start flows; default `ACTIVE`."""
    status: Availability | None = None
    """Other name of `availability`."""
    trigger: Trigger | None = None
    """What starts a flow: an operator, a call, a schedule, or an event."""
    audience: Audience | None = None
    """Contacts or segment that a launch reaches."""
    entry: EntryPolicy | None = None
    """Whether and when a contact may enter an event campaign again."""
    start_grace: Duration | None = None
    """How late a scheduled start may be before it is skipped, as an ISO 8601 duration; default 1 hour."""
    configuration: ConfigurationChange | None = None
    """Pacing, retries and timeouts of the flows that the campaign starts."""
    steps: Annotated[tuple[JsonValue, ...], Field(max_length=MAX_WRITTEN_STEPS)] | None = None
    """Steps of the campaign; not together with the short form."""
    channel_uid: Annotated[JsonValue, _documented_as(Uid | None)] = None
    """Short form: channel that sends the message."""
    template_uid: Annotated[JsonValue, _documented_as(Uid | None)] = None
    """Short form: template of the message; not together with `templateName`."""
    template_name: Annotated[JsonValue, _documented_as(TemplateName | None)] = None
    """Short form: name of the template; not together with `templateUid`."""
    parameter_strategy: Annotated[JsonValue, _documented_as(ParameterStrategy | None)] = None
    """Short form: where the template's parameters come from."""
    parameters: Annotated[JsonValue, _documented_as(Parameters | None)] = None
    """Short form: chain of sources by variable of the template."""
    parameter_defaults: Annotated[JsonValue, _documented_as(Defaults | None)] = None
    """Short form: default values by variable of the template."""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.steps is not None and self.is_short:
            raise ValueError("set either steps or the short form (channelUid with templateUid or templateName)")
        if self.status and self.availability and self.status is not self.availability:
            raise ValueError("status and availability are two names of one field; set one of them")
        return self

    @property
    def is_short(self) -> bool:
        """Return whether the request sets a field of the short form."""
        return bool(self._written_short())

    def _written_short(self) -> set[str]:
        return {name for name in _SHORT_FIELDS & self.model_fields_set if getattr(self, name) is not None}

    def short_form(self, before: ShortForm | None) -> ShortForm | None:
        """Merge the request into the stored short form. Raises InvalidRequest with all problems."""
        # Keyed by API names, because pydantic's errors then name the fields as the caller knows them.
        written = {to_camel(name): getattr(self, name) for name in self._written_short()}
        if not written:
            return None
        known = before.model_dump() if before else {}
        if {"templateUid", "templateName"} & set(written):
            known |= {"templateUid": None, "templateName": None}
        form = {**known, **written}
        try:
            return ShortForm.model_validate(form, strict=False)
        except ValidationError as error:
            # A problem of the whole form means that no template is named, or two.
            found = validation_problems(error, content=form)
            raise InvalidRequest([replace(p, field=p.field or "templateUid") for p in found]) from error

    def changes(self, before: Campaign) -> dict[str, object]:
        """Return the new values of the campaign's fields. null removes the audience or the description."""
        names = ("name", "description", "trigger", "audience", "entry", "start_grace", "steps")
        changes = {name: value for name in names if (value := getattr(self, name)) is not None}
        if self.configuration is not None:
            changes["configuration"] = merge_configuration(before.configuration, self.configuration)
        for name, empty in (("audience", None), ("description", "")):
            if name in self.model_fields_set and getattr(self, name) is None:
                changes[name] = empty
        availability = self.availability or self.status
        return changes | ({"availability": availability} if availability else {})


class CampaignChanges(CampaignFields):
    """The body of PATCH. With `rev`, the request fails if the campaign was changed since that revision."""

    rev: Annotated[int, Field(ge=0)] | None = None
    """Revision that the change is based on. 409 if the campaign has changed since; null skips the check."""


def create_campaign(ports: Ports, workspace: WorkspaceUid, fields: CampaignFields) -> Campaign:
    """Store a draft. Problems in its steps are allowed; `validate` and `launch` report them.

    Raises InvalidRequest with all problems of the fields.
    """
    now = ports.clock.now()
    base = Campaign(uid=new_uid(), created_at=now, updated_at=now, name=fields.name or "?", trigger=ManualTrigger())
    problems = _missing(fields)
    changes: dict[str, object] = {}
    parts: tuple[Callable[[], dict[str, object]], ...] = (
        lambda: fields.changes(base),
        lambda: _short_changes(ports, workspace, fields.short_form(None)),
    )
    for part in parts:
        try:
            changes |= part()
        except InvalidRequest as error:
            problems += error.problems
    if len(problems) == 1:
        raise invalid(problems[0].field, problems[0].message)
    if problems:
        raise InvalidRequest(problems)
    campaign = base.model_copy(update=changes)
    ports.catalog.add(workspace, campaign)
    return campaign


def _missing(fields: CampaignFields) -> list[Problem]:
    problems = []
    if fields.name is None:
        problems.append(Problem("name", "A campaign needs a name"))
    if fields.steps is None and not fields.is_short:
        problems.append(Problem("steps", "Set steps, or the short form (channelUid with templateUid or templateName)"))
    return problems


def update_campaign(ports: Ports, workspace: WorkspaceUid, uid: str, fields: CampaignChanges) -> Campaign:
    """Change the draft. Published versions and running flows stay as they are, but a blocked campaign's flows pause.

    Raises NotFound, InvalidRequest, or Conflict if `rev` is set and the campaign has another revision.
    """
    campaign = ports.catalog.get(workspace, Campaign, uid)
    if fields.rev not in {None, campaign.rev}:
        message = f"Campaign {uid} was changed by another request; it is at revision {campaign.rev}, not {fields.rev}"
        raise Conflict(message, str(campaign.rev))
    short = fields.short_form(campaign.short_form)
    changes = fields.changes(campaign) | _short_changes(ports, workspace, short)
    if "steps" in changes and short is None:
        changes["short_form"] = None
    changed = campaign.model_copy(update=changes)
    if changed != campaign:
        changed = ports.catalog.save(workspace, _mark_changed(ports, campaign, changed))
    if changed.availability is Availability.BLOCKED:
        for flow in open_flows(ports, workspace, uid):
            pause_flow(ports, workspace, flow.uid, PauseReason(PauseCause.CAMPAIGN_BLOCKED))
    return changed


def _mark_changed(ports: Ports, before: Campaign, after: Campaign) -> Campaign:
    """Set the time of the change, and mark the draft as changed if the next version will differ."""
    is_new_draft = any(getattr(after, name) != getattr(before, name) for name in VERSIONED)
    return after.model_copy(
        update={"updated_at": ports.clock.now(), "draft_changed": before.draft_changed or is_new_draft}
    )


def _short_changes(ports: Ports, workspace: WorkspaceUid, short: ShortForm | None) -> dict[str, object]:
    if short is None:
        return {}
    template = short.template_uid or _find_template(ports, workspace, short.template_name or "")
    send: dict[str, JsonValue] = {
        "id": "send",
        "type": "SEND",
        "channelUid": short.channel_uid,
        "templateUid": template,
        "parameterStrategy": short.parameter_strategy.value,
        "parameters": dict(short.parameters),
        "parameterDefaults": dict(short.parameter_defaults),
    }
    return {"short_form": short, "steps": (send, {"id": "end", "type": "END"})}


def _find_template(ports: Ports, workspace: WorkspaceUid, name: str) -> str:
    found = ports.catalog.page(workspace, Template, {"name": name}, 2, None).items
    if len(found) == 1:
        return found[0].uid
    problem = f"several templates are named {name!r}; use templateUid" if found else f"no template is named {name!r}"
    raise invalid("templateName", problem)


def delete_campaign(ports: Ports, workspace: WorkspaceUid, uid: str) -> None:
    """Delete a campaign. Raises NotFound, or Conflict while it is scheduled or has an open flow."""
    campaign = ports.catalog.get(workspace, Campaign, uid)
    if campaign.is_scheduled:
        state = state_of(ports, workspace, campaign)
        raise Conflict("The campaign is scheduled; cancel it first", state, IDLE)
    for flow in open_flows(ports, workspace, uid):
        if flow.status is not FlowStatus.DRAFT:
            state = state_of(ports, workspace, campaign)
            raise Conflict(f"Flow {flow.uid} of this campaign is {flow.status}; cancel it first", state, IDLE)
    ports.catalog.remove(workspace, Campaign, uid)
