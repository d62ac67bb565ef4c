"""Routes of templates."""

from collections.abc import Mapping
from typing import Annotated

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api.http.endpoint import (
    ApiResponse,
    Call,
    ListQuery,
    NoBody,
    NoData,
    ResponseForm,
    endpoint,
    respond,
    respond_done,
    respond_page,
)
from chalicelib.core.channels.send_test_message import TestMessage, TestResult, send_test
from chalicelib.core.launching.reject_template import reject_template
from chalicelib.core.templates.edit_template import create_template, delete_template, update_template
from chalicelib.core.templates.preview_template import TemplatePreview, TemplatePreviewRequest, preview_template
from chalicelib.core.templates.publish_template import publish_template
from chalicelib.model.base import StrictModel, Uid
from chalicelib.model.message import MessageType
from chalicelib.model.template import Defaults, Template, TemplateFields, TemplateStatus, TemplateVersion
from chalicelib.model.workspace import Scope
from chalicelib.ports import Page

blueprint = Blueprint(__name__)


class TemplateChanges(StrictModel):
    """The body of a template change. Absent fields stay."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = ""
    """New name, 1 to 200 characters."""
    message_type: MessageType = MessageType.MESSAGE
    """New message type, which decides the consent that is needed."""
    content: Mapping[str, str] = {}
    """New source of each field."""
    parameter_defaults: Defaults = {}
    """New default values of parameters."""


class Rejection(StrictModel):
    """The body of a rejection."""

    reason: Annotated[str, Field(min_length=1, max_length=1000)]
    """Why the template must not be used, 1 to 1,000 characters."""


class TemplateTest(TemplatePreviewRequest):
    """The body of a test send."""

    channel_uid: Uid
    """Channel that sends the test message."""
    to: Annotated[str, Field(min_length=1, max_length=320)] | None = None
    """Address that receives the message, at most 320 characters; null uses the contact."""


class TemplateQuery(ListQuery):
    """Filters of the template list."""

    status: TemplateStatus | None = None
    """Only templates with this status."""
    channel_type: Annotated[str, Field(max_length=40)] | None = None
    """Only templates for this channel type."""
    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Only templates whose name contains this text."""


@endpoint(
    blueprint,
    "POST /v1/templates",
    response=Template,
    status=201,
    scope=Scope.WRITE,
    body=TemplateFields,
    idempotent=True,
)
def post_template(call: Call[TemplateFields, NoBody]) -> ApiResponse[Template]:
    """Create a template as a draft."""
    return respond(create_template(call.ports, call.workspace, call.body), "Template created", 201)


@endpoint(blueprint, "GET /v1/templates", response=Template, form=ResponseForm.PAGE, query=TemplateQuery)
def list_templates(call: Call[NoBody, TemplateQuery]) -> ApiResponse[Template]:
    """List templates, newest first."""
    asked = call.query
    where = {"status": asked.status, "channelType": asked.channel_type, "name": asked.name and f"*{asked.name}*"}
    given = {mark: str(value) for mark, value in where.items() if value}
    return respond_page(call, call.ports.catalog.page(call.workspace, Template, given, asked.limit, call.cursor))


@endpoint(blueprint, "GET /v1/templates/{uid}", response=Template)
def get_template(call: Call[NoBody, NoBody]) -> ApiResponse[Template]:
    """Return the working copy of a template."""
    return respond(call.ports.catalog.get(call.workspace, Template, call.uid), "Template")


@endpoint(blueprint, "PATCH /v1/templates/{uid}", response=Template, scope=Scope.WRITE, body=TemplateChanges)
def patch_template(call: Call[TemplateChanges, NoBody]) -> ApiResponse[Template]:
    """Change the working copy. Published versions stay."""
    changes = {name: getattr(call.body, name) for name in call.body.model_fields_set}
    return respond(update_template(call.ports, call.workspace, call.uid, changes), "Template changed")


@endpoint(blueprint, "DELETE /v1/templates/{uid}", response=NoData, scope=Scope.WRITE)
def remove_template(call: Call[NoBody, NoBody]) -> ApiResponse[NoData]:
    """Delete a template with its versions."""
    delete_template(call.ports, call.workspace, call.uid)
    return respond_done("Template deleted")


@endpoint(blueprint, "POST /v1/templates/{uid}/publish", response=Template, scope=Scope.WRITE, idempotent=True)
def post_publish(call: Call[NoBody, NoBody]) -> ApiResponse[Template]:
    """Publish the working copy as the next version, unless nothing changed."""
    return respond(publish_template(call.ports, call.workspace, call.uid), "Template published")


@endpoint(
    blueprint, "POST /v1/templates/{uid}/reject", response=Template, scope=Scope.WRITE, body=Rejection, idempotent=True
)
def post_reject(call: Call[Rejection, NoBody]) -> ApiResponse[Template]:
    """Reject a template. No campaign can be launched with it any more."""
    return respond(reject_template(call.ports, call.workspace, call.uid, call.body.reason), "Template rejected")


@endpoint(
    blueprint,
    "POST /v1/templates/{uid}/preview",
    response=TemplatePreview,
    body=TemplatePreviewRequest,
    idempotent=False,
)
def post_preview(call: Call[TemplatePreviewRequest, NoBody]) -> ApiResponse[TemplatePreview]:
    """Render a template for a contact or with values, without sending it."""
    return respond(preview_template(call.ports, call.workspace, call.uid, call.body), "Preview")


@endpoint(
    blueprint,
    "POST /v1/templates/{uid}/test",
    response=TestResult,
    scope=Scope.WRITE,
    body=TemplateTest,
    idempotent=True,
)
def post_template_test(call: Call[TemplateTest, NoBody]) -> ApiResponse[TestResult]:
    """Send a test message that belongs to no flow."""
    given = {name: getattr(call.body, name) for name in call.body.model_fields_set - {"channel_uid"}}
    message = TestMessage(**given, template_uid=call.uid)
    return respond(send_test(call.ports, call.workspace, call.body.channel_uid, message), "Test message handed over")


@endpoint(
    blueprint, "GET /v1/templates/{uid}/versions", response=TemplateVersion, form=ResponseForm.PAGE, query=ListQuery
)
def list_template_versions(call: Call[NoBody, ListQuery]) -> ApiResponse[TemplateVersion]:
    """List the versions of a template, newest first."""
    call.ports.catalog.get(call.workspace, Template, call.uid)
    below = int(call.cursor or 0)
    found = call.ports.versions.list_versions(call.workspace, Template, call.uid, TemplateVersion)
    left = [version for version in found if not below or version.version < below]
    shown = tuple(left[: call.query.limit])
    return respond_page(call, Page(shown, str(shown[-1].version) if len(left) > len(shown) else None), total=len(found))
