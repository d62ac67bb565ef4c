"""Creates, changes and deletes campaigns, in the short form of one template or as nested steps."""

from typing import Annotated, Self

from pydantic import Field, JsonValue, model_validator

from chalicelib.errors import Conflict, InvalidRequest, Problem, invalid
from chalicelib.model.base import Outside
from chalicelib.model.campaign import Audience, Availability, Campaign, ManualTrigger, ShortForm, Trigger
from chalicelib.model.flow import FlowConfiguration, FlowStatus
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.template import Template
from chalicelib.ports import Ports
from chalicelib.usecases.campaign_flows import open_flows

#: Written lists may be longer than what compiles, so that the answer can count them.
MAX_WRITTEN_STEPS = 1_000
_SHORT_FIELDS = frozenset(ShortForm.model_fields)


class CampaignFields(Outside):
    """What a caller may set: `steps`, or the fields of the short form."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    description: Annotated[str, Field(max_length=2_000)] | None = None
    availability: Availability | None = None
    #: The documented calls also say `status` for the five availability words.
    status: Availability | None = None
    trigger: Trigger | None = None
    audience: Audience | None = None
    configuration: FlowConfiguration | None = None
    steps: Annotated[tuple[JsonValue, ...], Field(max_length=MAX_WRITTEN_STEPS)] | None = None
    channel_uid: JsonValue = None
    template_uid: JsonValue = None
    template_name: JsonValue = None
    parameter_strategy: JsonValue = None
    parameters: JsonValue = None
    parameter_defaults: JsonValue = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.steps is not None and self._written_short():
            raise ValueError("write either steps or the short form (channelUid with templateUid or templateName)")
        if self.status and self.availability and self.status is not self.availability:
            raise ValueError("status and availability are two names of one field, and differ")
        return self

    def _written_short(self) -> set[str]:
        return {name for name in _SHORT_FIELDS & self.model_fields_set if getattr(self, name) is not None}

    def short_form(self, before: ShortForm | None) -> ShortForm | None:
        """The short form with what is written here over what was; raises pydantic's ValidationError."""
        written = {name: getattr(self, name) for name in self._written_short()}
        if not written:
            return None
        known = before.model_dump() if before else {}
        if {"template_uid", "template_name"} & set(written):
            known |= {"template_uid": None, "template_name": None}
        return ShortForm.model_validate({**known, **written}, strict=False)

    def plain_changes(self) -> dict[str, object]:
        """Fields that go to the campaign as they are."""
        names = ("name", "description", "trigger", "audience", "configuration", "steps")
        changes = {name: value for name in names if (value := getattr(self, name)) is not None}
        availability = self.availability or self.status
        return changes | ({"availability": availability} if availability else {})


def create_campaign(ports: Ports, workspace: WorkspaceUid, fields: CampaignFields) -> Campaign:
    """Drafts may have problems in their steps; `validate` and `launch` tell them."""
    short = fields.short_form(None)
    problems = []
    if fields.name is None:
        problems.append(Problem("name", "A campaign needs a name"))
    if fields.steps is None and short is None:
        problems.append(
            Problem("steps", "Write steps, or the short form (channelUid with templateUid or templateName)")
        )
    if problems:
        raise InvalidRequest(problems)
    now = ports.clock.now()
    base = Campaign(uid=new_uid(), created_at=now, updated_at=now, name=fields.name or "", trigger=ManualTrigger())
    campaign = base.model_copy(update={**fields.plain_changes(), **_short_changes(ports, workspace, short)})
    ports.catalog.add(workspace, campaign)
    return campaign


def update_campaign(ports: Ports, workspace: WorkspaceUid, uid: str, fields: CampaignFields) -> Campaign:
    """Only the draft changes: versions, and flows that run on them, stay as they are."""
    campaign = ports.catalog.get(workspace, Campaign, uid)
    short = fields.short_form(campaign.short_form)
    changes = fields.plain_changes() | _short_changes(ports, workspace, short)
    if "steps" in changes and short is None:
        changes["short_form"] = None
    changed = campaign.model_copy(update=changes)
    if changed == campaign:
        return campaign
    is_new_draft = (changed.steps, changed.name, changed.configuration) != (
        campaign.steps,
        campaign.name,
        campaign.configuration,
    )
    final = {"updated_at": ports.clock.now(), "draft_changed": campaign.draft_changed or is_new_draft}
    return ports.catalog.save(workspace, changed.model_copy(update=final))


def _short_changes(ports: Ports, workspace: WorkspaceUid, short: ShortForm | None) -> dict[str, object]:
    if short is None:
        return {}
    template = short.template_uid or _named(ports, workspace, short.template_name or "")
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


def _named(ports: Ports, workspace: WorkspaceUid, name: str) -> str:
    found = ports.catalog.page(workspace, Template, {"name": name}, 2, None).items
    if len(found) == 1:
        return found[0].uid
    count = "several templates are" if found else "no template is"
    raise invalid("templateName", f"{count} named {name!r}")


def delete_campaign(ports: Ports, workspace: WorkspaceUid, uid: str) -> None:
    """Conflict while a flow of it is open."""
    ports.catalog.get(workspace, Campaign, uid)
    for flow in open_flows(ports, workspace, uid):
        if flow.status is not FlowStatus.DRAFT:
            raise Conflict(f"Flow {flow.uid} of this campaign is {flow.status}", flow.status, ["ended"])
    ports.catalog.remove(workspace, Campaign, uid)
