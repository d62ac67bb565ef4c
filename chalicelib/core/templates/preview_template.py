"""Render a template without sending it."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, JsonValue

from chalicelib.core.templates.publish_template import build_version
from chalicelib.core.templates.render import render, resolve_all
from chalicelib.core.templates.sms_segments import Segments, count_segments
from chalicelib.errors import GiveUp, NotFound, invalid
from chalicelib.model.base import StrictModel, Uid
from chalicelib.model.contact import Contact
from chalicelib.model.ids import ContactUid, WorkspaceUid
from chalicelib.model.signing import CONFIRM_URL, UNSUBSCRIBE_URL
from chalicelib.model.template import (
    Defaults,
    Parameters,
    ParameterStrategy,
    Template,
    TemplateVersion,
    VariableName,
)
from chalicelib.ports import Ports

#: Links in a preview. A click on them changes nothing.
SAMPLE_LINKS = {UNSUBSCRIBE_URL: "https://example.com/u/sample", CONFIRM_URL: "https://example.com/c/sample"}


class TemplatePreviewRequest(StrictModel):
    """The body of a template preview: contact, parameter sources, event, and values that override all of them."""

    contact_uid: Uid | None = None
    """Uid of the contact that fills the template."""
    parameter_strategy: ParameterStrategy = ParameterStrategy.USE_CONTACT_ASSOCIATION
    """Where the template's parameters come from."""
    parameters: Parameters = {}
    """Source of each parameter by name."""
    parameter_defaults: Defaults = {}
    """Values of parameters that the source does not provide."""
    event: Annotated[Mapping[str, JsonValue], Field(max_length=100)] = {}
    """Properties of an event that the template may use, at most 100."""
    values: Annotated[Mapping[VariableName, JsonValue], Field(max_length=100)] = {}
    """Values of parameters, which override all other sources; at most 100."""
    version: Annotated[int, Field(ge=1)] | None = None
    """Published version of the template; null uses the working copy."""


class FieldSize(StrictModel):
    """Size of a rendered field, and for the field `text` its number of SMS."""

    characters: int
    """Number of characters."""
    bytes: int
    """Size in bytes of UTF-8."""
    sms_encoding: str | None = None
    """Encoding of the SMS, `GSM-7` or `UCS-2`; null for other fields."""
    sms_segments: int | None = None
    """Number of SMS segments that are charged; null for other fields."""


class TemplatePreview(StrictModel):
    """A rendered template, or the names of missing parameters."""

    content: Mapping[str, str] | None
    """Rendered fields; null while parameters are missing."""
    sizes: Mapping[str, FieldSize]
    """Size of each rendered field."""
    variables: tuple[str, ...]
    """Names of all parameters that the template uses."""
    missing_parameters: tuple[str, ...]
    """Parameters without a value."""


def preview_template(
    ports: Ports, workspace: WorkspaceUid, uid: str, filling: TemplatePreviewRequest
) -> TemplatePreview:
    """Render a template. Raises NotFound, and InvalidRequest if its sources do not compile or render."""
    version = choose_version(ports, workspace, uid, filling.version)
    contact = find_contact(ports, workspace, filling.contact_uid)
    content, missing = render_preview(version, filling, contact)
    sizes = {name: _measure(name, text) for name, text in (content or {}).items()}
    return TemplatePreview(content=content, sizes=sizes, variables=version.variables, missing_parameters=missing)


def choose_version(ports: Ports, workspace: WorkspaceUid, uid: str, number: int | None) -> TemplateVersion:
    """Return a stored version, or a version built from the working copy."""
    template = ports.catalog.get(workspace, Template, uid)
    if number is None:
        return build_version(ports, template, template.latest_version + 1)
    found = ports.versions.find_version(workspace, Template, uid, number, TemplateVersion)
    if found is None:
        raise NotFound("TEMPLATE", f"{uid} version {number}")
    return found


def find_contact(ports: Ports, workspace: WorkspaceUid, uid: str | None) -> Contact | None:
    """Return the named contact, or None. Raises InvalidRequest if it does not exist."""
    if uid is None:
        return None
    contact = ports.contacts.find_many(workspace, [ContactUid(uid)], strong=True).get(ContactUid(uid))
    if contact is None:
        raise invalid("contactUid", f"there is no contact {uid}")
    return contact


def render_preview(
    version: TemplateVersion, filling: TemplatePreviewRequest, contact: Contact | None
) -> tuple[Mapping[str, str] | None, tuple[str, ...]]:
    """Return the rendered fields, or the names of the missing parameters."""
    resolved, missing = resolve_all(version, filling, contact, filling.event, SAMPLE_LINKS)
    values = {**resolved, **filling.values}
    missing = tuple(name for name in missing if name.partition(".")[0] not in filling.values)
    if missing:
        return None, missing
    try:
        return render(version, values), ()
    except GiveUp as error:
        raise invalid("content", str(error)) from error


def _measure(name: str, text: str) -> FieldSize:
    sms: Segments | None = count_segments(text) if name == "text" else None
    return FieldSize(
        characters=len(text),
        bytes=len(text.encode()),
        sms_encoding=sms.encoding if sms else None,
        sms_segments=sms.segments if sms else None,
    )
