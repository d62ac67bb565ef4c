"""Which route answers with what."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from chalicelib.api.responses.audit import AuditResponse
from chalicelib.api.responses.balance import BalanceResponse, TransactionResponse
from chalicelib.api.responses.campaigns import (
    CampaignResponse,
    CampaignStatusResponse,
    CampaignSummaryResponse,
    ControlResponse,
    GraphResponse,
    LaunchResponse,
    TriggerResponse,
    ValidationResponse,
    VersionSummaryResponse,
)
from chalicelib.api.responses.channels import ChannelResponse
from chalicelib.api.responses.contacts import ConsentResponse, SavedVersionResponse
from chalicelib.api.responses.events import EventResults
from chalicelib.api.responses.executions import ExecutionDetailResponse, ExecutionResponse, MessageResponse
from chalicelib.api.responses.files import ExportResponse, ImportResponse, UploadResponse
from chalicelib.api.responses.flows import ContactsAddedResponse, FlowResponse, FlowSummaryResponse
from chalicelib.api.responses.keys import KeyCreatedResponse, KeyResponse, WorkspaceCreatedResponse, WorkspaceResponse
from chalicelib.api.responses.segments import SegmentPreviewResponse, SegmentSummary
from chalicelib.api.responses.system import HealthResponse
from chalicelib.api.responses.webhooks import DeliveryResponse, WebhookCreatedResponse, WebhookResponse
from chalicelib.core.channels.send_test_message import TestResult
from chalicelib.core.templates.preview_template import TemplatePreview
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
class ResponseSpec:
    """`data` of an answer: the model, or nothing; how it is wrapped, and the status of success."""

    model: type[BaseModel] | None = None
    status: int = 200
    #: `one` has `message` and `data`, `many` a page of it, `plain` is the model itself; else a content type.
    form: str = "one"
    #: A second status of success, with the same body.
    also: int | None = None
    #: What the repetition of a call by its Idempotency-Key shows, where that is less.
    repeated: type[BaseModel] | None = None


def _many(model: type[BaseModel] | None) -> ResponseSpec:
    return ResponseSpec(model, form="many")


#: What every route answers when all went well. A route that is not here is described as an object of any fields.
SHOWN: Mapping[str, ResponseSpec] = {
    "GET /health": ResponseSpec(HealthResponse, form="plain"),
    "GET /openapi.json": ResponseSpec(form="plain"),
    "GET /docs": ResponseSpec(form="text/html"),
    "GET /docs/{name}": ResponseSpec(form="text/javascript"),
    "GET /v1/channel-types": _many(None),
    "GET /v1/node-types": _many(None),
    "GET /v1/workspace": ResponseSpec(Workspace),
    "PATCH /v1/workspace": ResponseSpec(Workspace),
    "POST /v1/keys": ResponseSpec(KeyCreatedResponse, 201),
    "GET /v1/keys": _many(KeyResponse),
    "DELETE /v1/keys/{uid}": ResponseSpec(),
    "POST /v1/workspaces": ResponseSpec(WorkspaceCreatedResponse, 201),
    "GET /v1/workspaces": _many(WorkspaceResponse),
    "GET /v1/audit": _many(AuditResponse),
    "POST /v1/webhooks": ResponseSpec(WebhookCreatedResponse, 201),
    "GET /v1/webhooks": _many(WebhookResponse),
    "PATCH /v1/webhooks/{uid}": ResponseSpec(WebhookResponse),
    "DELETE /v1/webhooks/{uid}": ResponseSpec(),
    "POST /v1/webhooks/{uid}/secret": ResponseSpec(WebhookCreatedResponse),
    "POST /v1/webhooks/{uid}/test": ResponseSpec(DeliveryResponse, 202),
    "GET /v1/webhooks/{uid}/deliveries": _many(DeliveryResponse),
    "POST /v1/webhooks/{uid}/deliveries/{delivery_uid}/replay": ResponseSpec(DeliveryResponse, 202),
    "GET /v1/balance": ResponseSpec(BalanceResponse),
    "POST /v1/balance/topup": ResponseSpec(BalanceResponse, 201),
    "GET /v1/balance/auto-reload": ResponseSpec(AutoReload),
    "PUT /v1/balance/auto-reload": ResponseSpec(AutoReload),
    "PUT /v1/balance/alerts": ResponseSpec(BalanceResponse),
    "GET /v1/balance/transactions": _many(TransactionResponse),
    "POST /v1/channels": ResponseSpec(Channel, 201),
    "GET /v1/channels": _many(Channel),
    "GET /v1/channels/{uid}": ResponseSpec(ChannelResponse),
    "PUT /v1/channels/{uid}": ResponseSpec(Channel),
    "DELETE /v1/channels/{uid}": ResponseSpec(),
    "POST /v1/channels/{uid}/circuit/close": ResponseSpec(ChannelResponse),
    "POST /v1/channels/{uid}/test": ResponseSpec(TestResult),
    "POST /v1/templates": ResponseSpec(Template, 201),
    "GET /v1/templates": _many(Template),
    "GET /v1/templates/{uid}": ResponseSpec(Template),
    "PATCH /v1/templates/{uid}": ResponseSpec(Template),
    "DELETE /v1/templates/{uid}": ResponseSpec(),
    "POST /v1/templates/{uid}/publish": ResponseSpec(Template),
    "POST /v1/templates/{uid}/reject": ResponseSpec(Template),
    "POST /v1/templates/{uid}/preview": ResponseSpec(TemplatePreview),
    "POST /v1/templates/{uid}/test": ResponseSpec(TestResult),
    "GET /v1/templates/{uid}/versions": _many(TemplateVersion),
    "POST /v1/contacts": ResponseSpec(Contact, 201, also=200, repeated=SavedVersionResponse),
    "GET /v1/contacts": _many(Contact),
    "GET /v1/contacts/{uid}": ResponseSpec(Contact),
    "PUT /v1/contacts/{uid}": ResponseSpec(Contact, 201, also=200),
    "PATCH /v1/contacts/{uid}": ResponseSpec(Contact),
    "DELETE /v1/contacts/{uid}": ResponseSpec(),
    "POST /v1/contacts/{uid}/anonymise": ResponseSpec(Contact),
    "GET /v1/contacts/{uid}/timeline": _many(None),
    "GET /v1/contacts/{uid}/consent": _many(ConsentRecord),
    "POST /v1/contacts/{uid}/consent": ResponseSpec(ConsentResponse, also=202),
    "GET /v1/suppressions": _many(Suppression),
    "POST /v1/suppressions": ResponseSpec(Suppression, 201),
    "POST /v1/suppressions/search": ResponseSpec(Suppression),
    "DELETE /v1/suppressions/{uid}": ResponseSpec(),
    "POST /v1/segments": ResponseSpec(Segment, 201),
    "GET /v1/segments": _many(SegmentSummary),
    "POST /v1/segments/preview": ResponseSpec(SegmentPreviewResponse),
    "GET /v1/segments/{uid}": ResponseSpec(Segment),
    "PATCH /v1/segments/{uid}": ResponseSpec(Segment),
    "DELETE /v1/segments/{uid}": ResponseSpec(),
    "POST /v1/uploads": ResponseSpec(UploadResponse, 201),
    "POST /v1/exports": ResponseSpec(ExportResponse, 202),
    "GET /v1/exports/{uid}": ResponseSpec(ExportResponse),
    "GET /u/{token}": ResponseSpec(form="text/html"),
    "POST /u/{token}": ResponseSpec(form="text/html"),
    "GET /c/{token}": ResponseSpec(form="text/html"),
    "POST /c/{token}": ResponseSpec(form="text/html"),
    "GET /l/{token}": ResponseSpec(status=302, form="text/plain"),
    "GET /o/{token}": ResponseSpec(form="image/svg+xml"),
    "POST /v1/hooks/{uid}": ResponseSpec(form="text/xml"),
    "GET /v1/hooks/{uid}": ResponseSpec(form="text/plain"),
    "GET /v1/identity/{uid}": ResponseSpec(Contact),
    "PUT /v1/identity/{uid}": ResponseSpec(Contact, 201, also=200),
    "DELETE /v1/identity/{uid}": ResponseSpec(),
    "POST /v1/contacts/import": ResponseSpec(ImportResponse, 202),
    "GET /v1/imports/{uid}": ResponseSpec(ImportResponse),
    "GET /v1/imports/{uid}/rejected": ResponseSpec(form="text/csv", also=303),
    "POST /v1/events": ResponseSpec(EventResults, 202),
    "POST /v1/campaigns": ResponseSpec(CampaignResponse, 201),
    "GET /v1/campaigns": _many(CampaignSummaryResponse),
    "GET /v1/campaigns/{uid}": ResponseSpec(CampaignResponse),
    "PATCH /v1/campaigns/{uid}": ResponseSpec(CampaignResponse),
    "DELETE /v1/campaigns/{uid}": ResponseSpec(),
    "POST /v1/campaigns/{uid}/validate": ResponseSpec(ValidationResponse),
    "POST /v1/campaigns/{uid}/estimate": ResponseSpec(),
    "POST /v1/campaigns/{uid}/test-run": ResponseSpec(),
    "POST /v1/campaigns/{uid}/publish": ResponseSpec(CampaignVersion),
    "POST /v1/campaigns/{uid}/launch": ResponseSpec(LaunchResponse, 202),
    "POST /v1/campaigns/{uid}/trigger": ResponseSpec(TriggerResponse, 202),
    "POST /v1/campaigns/{uid}/pause": ResponseSpec(ControlResponse),
    "POST /v1/campaigns/{uid}/resume": ResponseSpec(ControlResponse),
    "POST /v1/campaigns/{uid}/cancel": ResponseSpec(ControlResponse),
    "GET /v1/campaigns/{uid}/status": ResponseSpec(CampaignStatusResponse),
    "GET /v1/campaigns/{uid}/versions": _many(VersionSummaryResponse),
    "GET /v1/campaigns/{uid}/versions/{version}": ResponseSpec(CampaignVersion),
    "GET /v1/campaigns/{uid}/graph": ResponseSpec(GraphResponse),
    "POST /v1/flows": ResponseSpec(FlowResponse, 201),
    "GET /v1/flows": _many(FlowSummaryResponse),
    "GET /v1/flows/{uid}": ResponseSpec(FlowResponse),
    "PATCH /v1/flows/{uid}": ResponseSpec(FlowResponse),
    "DELETE /v1/flows/{uid}": ResponseSpec(),
    "POST /v1/flows/{uid}/contacts": ResponseSpec(ContactsAddedResponse),
    "POST /v1/flows/{uid}/recount": ResponseSpec(FlowResponse, 200, also=202),
    "POST /v1/flows/{uid}/retry": ResponseSpec(FlowResponse, 201),
    "GET /v1/flows/{uid}/executions": _many(ExecutionResponse),
    "GET /v1/flows/{uid}/executions/{contact_uid}": ResponseSpec(ExecutionDetailResponse),
    "GET /v1/messages": _many(MessageResponse),
    "GET /v1/messages/{uid}": ResponseSpec(MessageResponse),
}
