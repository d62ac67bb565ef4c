"""The resources of the API as methods. Use `client.calls` for all other endpoints."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from chalicelib.api.responses.campaigns import (
    CampaignResponse,
    CampaignStatusResponse,
    CampaignSummaryResponse,
    ControlResponse,
    LaunchResponse,
    TriggerResponse,
    ValidationResponse,
)
from chalicelib.api.responses.events import EventResults
from chalicelib.api.responses.executions import ExecutionDetailResponse, ExecutionResponse, MessageResponse
from chalicelib.api.responses.files import ImportResponse, UploadResponse
from chalicelib.api.responses.flows import ContactsAddedResponse, FlowResponse, FlowSummaryResponse
from chalicelib.core.events.accept_events import NewEvents
from chalicelib.core.flows.control_flow import FlowChange
from chalicelib.core.flows.create_flow import NewFlow
from chalicelib.core.flows.retry_flow import RetryRequest
from chalicelib.core.launching.edit_campaign import CampaignFields
from chalicelib.core.launching.launch_campaign import LaunchRequest
from chalicelib.core.launching.trigger_campaign import TriggerRequest
from chalicelib.model.channel import Channel, ChannelFields
from chalicelib.model.contact import Contact, ContactFields
from chalicelib.model.template import Template, TemplateFields
from infra.client.calls import Body, Calls, HttpWire, Wire, put_file


class Client:
    """A client of the API. Its methods raise Refused and Unreachable."""

    def __init__(self, url: str, key: str, wire: Wire | None = None) -> None:
        self.calls = Calls(wire or HttpWire(url), key)
        self.campaigns = Campaigns(self.calls)
        self.channels = Channels(self.calls)
        self.contacts = Contacts(self.calls, put_file)
        self.flows = Flows(self.calls)
        self.messages = Messages(self.calls)
        self.templates = Templates(self.calls)

    def report(self, events: NewEvents) -> EventResults:
        """Send up to 100 events. Each has a separate result."""
        return self.calls.one("POST /v1/events", EventResults, events)


@dataclass(frozen=True, slots=True)
class Channels:
    """`/v1/channels`."""

    calls: Calls

    def create(self, fields: ChannelFields) -> Channel:
        return self.calls.one("POST /v1/channels", Channel, fields)

    def list(self) -> Iterator[Channel]:
        return self.calls.many("/v1/channels", Channel)


@dataclass(frozen=True, slots=True)
class Templates:
    """`/v1/templates`."""

    calls: Calls

    def create(self, fields: TemplateFields) -> Template:
        return self.calls.one("POST /v1/templates", Template, fields)

    def publish(self, uid: str) -> Template:
        return self.calls.one(f"POST /v1/templates/{uid}/publish", Template)

    def list(self) -> Iterator[Template]:
        return self.calls.many("/v1/templates", Template)


@dataclass(frozen=True, slots=True)
class Contacts:
    """`/v1/contacts` and their imports."""

    calls: Calls
    put_file: Callable[[str, bytes], None]

    def save(self, fields: ContactFields) -> Contact:
        """Create a contact, or update the one with the same externalId, email or phone."""
        return self.calls.one("POST /v1/contacts", Contact, fields)

    def get(self, uid: str) -> Contact:
        return self.calls.one(f"GET /v1/contacts/{uid}", Contact)

    def list(self) -> Iterator[Contact]:
        return self.calls.many("/v1/contacts", Contact)

    def begin_import(self, file: bytes, name: str, *, dry_run: bool = False) -> ImportResponse:
        """Import a file of any size in the background. Its name decides between CSV and JSON Lines."""
        place = self.calls.one("POST /v1/uploads", UploadResponse, {"fileName": name})
        self.put_file(place.url, file)
        return self.calls.one(
            "POST /v1/contacts/import", ImportResponse, {"fileName": place.file_name, "dryRun": dry_run}
        )

    def get_import(self, uid: str) -> ImportResponse:
        return self.calls.one(f"GET /v1/imports/{uid}", ImportResponse)


@dataclass(frozen=True, slots=True)
class Campaigns:
    """`/v1/campaigns`."""

    calls: Calls

    def create(self, fields: CampaignFields | Body) -> CampaignResponse:
        return self.calls.one("POST /v1/campaigns", CampaignResponse, fields)

    def change(self, uid: str, fields: CampaignFields | Body) -> CampaignResponse:
        return self.calls.one(f"PATCH /v1/campaigns/{uid}", CampaignResponse, fields)

    def get(self, uid: str) -> CampaignResponse:
        return self.calls.one(f"GET /v1/campaigns/{uid}", CampaignResponse)

    def list(self, name: str | None = None) -> Iterator[CampaignSummaryResponse]:
        """List campaigns. `name` matches a part of the name."""
        return self.calls.many("/v1/campaigns", CampaignSummaryResponse, {"name": name})

    def validate(self, uid: str) -> ValidationResponse:
        return self.calls.one(f"POST /v1/campaigns/{uid}/validate", ValidationResponse)

    def status(self, uid: str) -> CampaignStatusResponse:
        return self.calls.one(f"GET /v1/campaigns/{uid}/status", CampaignStatusResponse)

    def launch(self, uid: str, request: LaunchRequest) -> LaunchResponse:
        return self.calls.one(f"POST /v1/campaigns/{uid}/launch", LaunchResponse, request)

    def trigger(self, uid: str, request: TriggerRequest) -> TriggerResponse:
        return self.calls.one(f"POST /v1/campaigns/{uid}/trigger", TriggerResponse, request)

    def move(self, uid: str, word: str) -> ControlResponse:
        """`pause`, `resume` or `cancel`."""
        return self.calls.one(f"POST /v1/campaigns/{uid}/{word}", ControlResponse)

    def delete(self, uid: str) -> None:
        self.calls.plain(f"DELETE /v1/campaigns/{uid}")


@dataclass(frozen=True, slots=True)
class Flows:
    """`/v1/flows` and their executions."""

    calls: Calls

    def create(self, request: NewFlow) -> FlowResponse:
        return self.calls.one("POST /v1/flows", FlowResponse, request)

    def get(self, uid: str) -> FlowResponse:
        return self.calls.one(f"GET /v1/flows/{uid}", FlowResponse)

    def list(self, status: str | None = None, campaign_uid: str | None = None) -> Iterator[FlowSummaryResponse]:
        return self.calls.many("/v1/flows", FlowSummaryResponse, {"status": status, "campaignUid": campaign_uid})

    def change(self, uid: str, change: FlowChange) -> FlowResponse:
        return self.calls.one(f"PATCH /v1/flows/{uid}", FlowResponse, change)

    def add_contacts(self, uid: str, contacts: Sequence[str]) -> ContactsAddedResponse:
        return self.calls.one(f"POST /v1/flows/{uid}/contacts", ContactsAddedResponse, {"contactUids": [*contacts]})

    def retry(self, uid: str, request: RetryRequest) -> FlowResponse:
        return self.calls.one(f"POST /v1/flows/{uid}/retry", FlowResponse, request)

    def executions(self, uid: str, status: str | None = None) -> Iterator[ExecutionResponse]:
        return self.calls.many(f"/v1/flows/{uid}/executions", ExecutionResponse, {"status": status})

    def inspect(self, uid: str, contact: str) -> ExecutionDetailResponse:
        return self.calls.one(f"GET /v1/flows/{uid}/executions/{contact}", ExecutionDetailResponse)


@dataclass(frozen=True, slots=True)
class Messages:
    """`/v1/messages`."""

    calls: Calls

    def of_flow(self, uid: str, status: str | None = None) -> Iterator[MessageResponse]:
        return self.calls.many("/v1/messages", MessageResponse, {"flowUid": uid, "status": status})
