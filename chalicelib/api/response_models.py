"""Which route answers with what."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from chalicelib.api.audience_responses import (
    ConsentShown,
    EventResults,
    ExportShown,
    ImportShown,
    SegmentPreview,
    SegmentSummary,
    UploadShown,
)
from chalicelib.api.billing_responses import BalanceShown, TransactionShown
from chalicelib.api.channel_responses import ChannelShown
from chalicelib.api.responses import (
    AuditShown,
    CampaignShown,
    CampaignStatusShown,
    CampaignSummary,
    ContactsAdded,
    DeliveryShown,
    Examination,
    ExecutionInspected,
    ExecutionShown,
    FlowShown,
    FlowSummary,
    GraphShown,
    Health,
    KeyCreated,
    KeyShown,
    LaunchShown,
    MessageShown,
    Moved,
    SavedBefore,
    Triggered,
    VersionSummary,
    WebhookCreated,
    WebhookShown,
    WorkspaceCreated,
    WorkspaceShown,
)
from chalicelib.core.channels.send_test_message import TestResult
from chalicelib.core.templates.preview_template import Preview
from chalicelib.model.balance import AutoReload
from chalicelib.model.campaign import CampaignVersion
from chalicelib.model.channel import Channel
from chalicelib.model.consent import ConsentRecord
from chalicelib.model.contact import Contact
from chalicelib.model.segment import Segment
from chalicelib.model.suppression import Suppression
from chalicelib.model.template import Template, TemplateVersion
from chalicelib.model.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Shown:
    """`data` of an answer: the model, or nothing; how it is wrapped, and the status of success."""

    model: type[BaseModel] | None = None
    status: int = 200
    #: `one` has `message` and `data`, `many` a page of it, `plain` is the model itself; else a content type.
    form: str = "one"
    #: A second status of success, with the same body.
    also: int | None = None
    #: What the repetition of a call by its Idempotency-Key shows, where that is less.
    repeated: type[BaseModel] | None = None


def _many(model: type[BaseModel] | None) -> Shown:
    return Shown(model, form="many")


#: What every route answers when all went well. A route that is not here is described as an object of any fields.
SHOWN: Mapping[str, Shown] = {
    "GET /health": Shown(Health, form="plain"),
    "GET /openapi.json": Shown(form="plain"),
    "GET /docs": Shown(form="text/html"),
    "GET /docs/{name}": Shown(form="text/javascript"),
    "GET /v1/channel-types": _many(None),
    "GET /v1/node-types": _many(None),
    "GET /v1/workspace": Shown(Workspace),
    "PATCH /v1/workspace": Shown(Workspace),
    "POST /v1/keys": Shown(KeyCreated, 201),
    "GET /v1/keys": _many(KeyShown),
    "DELETE /v1/keys/{uid}": Shown(),
    "POST /v1/workspaces": Shown(WorkspaceCreated, 201),
    "GET /v1/workspaces": _many(WorkspaceShown),
    "GET /v1/audit": _many(AuditShown),
    "POST /v1/webhooks": Shown(WebhookCreated, 201),
    "GET /v1/webhooks": _many(WebhookShown),
    "PATCH /v1/webhooks/{uid}": Shown(WebhookShown),
    "DELETE /v1/webhooks/{uid}": Shown(),
    "POST /v1/webhooks/{uid}/secret": Shown(WebhookCreated),
    "POST /v1/webhooks/{uid}/test": Shown(DeliveryShown, 202),
    "GET /v1/webhooks/{uid}/deliveries": _many(DeliveryShown),
    "POST /v1/webhooks/{uid}/deliveries/{delivery_uid}/replay": Shown(DeliveryShown, 202),
    "GET /v1/balance": Shown(BalanceShown),
    "POST /v1/balance/topup": Shown(BalanceShown, 201),
    "GET /v1/balance/auto-reload": Shown(AutoReload),
    "PUT /v1/balance/auto-reload": Shown(AutoReload),
    "PUT /v1/balance/alerts": Shown(BalanceShown),
    "GET /v1/balance/transactions": _many(TransactionShown),
    "POST /v1/channels": Shown(Channel, 201),
    "GET /v1/channels": _many(Channel),
    "GET /v1/channels/{uid}": Shown(ChannelShown),
    "PUT /v1/channels/{uid}": Shown(Channel),
    "DELETE /v1/channels/{uid}": Shown(),
    "POST /v1/channels/{uid}/circuit/close": Shown(ChannelShown),
    "POST /v1/channels/{uid}/test": Shown(TestResult),
    "POST /v1/templates": Shown(Template, 201),
    "GET /v1/templates": _many(Template),
    "GET /v1/templates/{uid}": Shown(Template),
    "PATCH /v1/templates/{uid}": Shown(Template),
    "DELETE /v1/templates/{uid}": Shown(),
    "POST /v1/templates/{uid}/publish": Shown(Template),
    "POST /v1/templates/{uid}/reject": Shown(Template),
    "POST /v1/templates/{uid}/preview": Shown(Preview),
    "POST /v1/templates/{uid}/test": Shown(TestResult),
    "GET /v1/templates/{uid}/versions": _many(TemplateVersion),
    "POST /v1/contacts": Shown(Contact, 201, also=200, repeated=SavedBefore),
    "GET /v1/contacts": _many(Contact),
    "GET /v1/contacts/{uid}": Shown(Contact),
    "PUT /v1/contacts/{uid}": Shown(Contact, 201, also=200),
    "PATCH /v1/contacts/{uid}": Shown(Contact),
    "DELETE /v1/contacts/{uid}": Shown(),
    "POST /v1/contacts/{uid}/anonymise": Shown(Contact),
    "GET /v1/contacts/{uid}/timeline": _many(None),
    "GET /v1/contacts/{uid}/consent": _many(ConsentRecord),
    "POST /v1/contacts/{uid}/consent": Shown(ConsentShown, also=202),
    "GET /v1/suppressions": _many(Suppression),
    "POST /v1/suppressions": Shown(Suppression, 201),
    "POST /v1/suppressions/search": Shown(Suppression),
    "DELETE /v1/suppressions/{uid}": Shown(),
    "POST /v1/segments": Shown(Segment, 201),
    "GET /v1/segments": _many(SegmentSummary),
    "POST /v1/segments/preview": Shown(SegmentPreview),
    "GET /v1/segments/{uid}": Shown(Segment),
    "PATCH /v1/segments/{uid}": Shown(Segment),
    "DELETE /v1/segments/{uid}": Shown(),
    "POST /v1/uploads": Shown(UploadShown, 201),
    "POST /v1/exports": Shown(ExportShown, 202),
    "GET /v1/exports/{uid}": Shown(ExportShown),
    "GET /u/{token}": Shown(form="text/html"),
    "POST /u/{token}": Shown(form="text/html"),
    "GET /c/{token}": Shown(form="text/html"),
    "POST /c/{token}": Shown(form="text/html"),
    "GET /l/{token}": Shown(status=302, form="text/plain"),
    "GET /o/{token}": Shown(form="image/svg+xml"),
    "POST /v1/hooks/{uid}": Shown(form="text/xml"),
    "GET /v1/hooks/{uid}": Shown(form="text/plain"),
    "GET /v1/identity/{uid}": Shown(Contact),
    "PUT /v1/identity/{uid}": Shown(Contact, 201, also=200),
    "DELETE /v1/identity/{uid}": Shown(),
    "POST /v1/contacts/import": Shown(ImportShown, 202),
    "GET /v1/imports/{uid}": Shown(ImportShown),
    "GET /v1/imports/{uid}/rejected": Shown(form="text/csv", also=303),
    "POST /v1/events": Shown(EventResults, 202),
    "POST /v1/campaigns": Shown(CampaignShown, 201),
    "GET /v1/campaigns": _many(CampaignSummary),
    "GET /v1/campaigns/{uid}": Shown(CampaignShown),
    "PATCH /v1/campaigns/{uid}": Shown(CampaignShown),
    "DELETE /v1/campaigns/{uid}": Shown(),
    "POST /v1/campaigns/{uid}/validate": Shown(Examination),
    "POST /v1/campaigns/{uid}/estimate": Shown(),
    "POST /v1/campaigns/{uid}/test-run": Shown(),
    "POST /v1/campaigns/{uid}/publish": Shown(CampaignVersion),
    "POST /v1/campaigns/{uid}/launch": Shown(LaunchShown, 202),
    "POST /v1/campaigns/{uid}/trigger": Shown(Triggered, 202),
    "POST /v1/campaigns/{uid}/pause": Shown(Moved),
    "POST /v1/campaigns/{uid}/resume": Shown(Moved),
    "POST /v1/campaigns/{uid}/cancel": Shown(Moved),
    "GET /v1/campaigns/{uid}/status": Shown(CampaignStatusShown),
    "GET /v1/campaigns/{uid}/versions": _many(VersionSummary),
    "GET /v1/campaigns/{uid}/versions/{version}": Shown(CampaignVersion),
    "GET /v1/campaigns/{uid}/graph": Shown(GraphShown),
    "POST /v1/flows": Shown(FlowShown, 201),
    "GET /v1/flows": _many(FlowSummary),
    "GET /v1/flows/{uid}": Shown(FlowShown),
    "PATCH /v1/flows/{uid}": Shown(FlowShown),
    "DELETE /v1/flows/{uid}": Shown(),
    "POST /v1/flows/{uid}/contacts": Shown(ContactsAdded),
    "POST /v1/flows/{uid}/recount": Shown(FlowShown, 200, also=202),
    "POST /v1/flows/{uid}/retry": Shown(FlowShown, 201),
    "GET /v1/flows/{uid}/executions": _many(ExecutionShown),
    "GET /v1/flows/{uid}/executions/{contact_uid}": Shown(ExecutionInspected),
    "GET /v1/messages": _many(MessageShown),
    "GET /v1/messages/{uid}": Shown(MessageShown),
}
