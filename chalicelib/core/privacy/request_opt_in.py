"""Ask a contact in a message to confirm a consent. The consent is PENDING until the contact confirms."""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b

from chalicelib.core.contacts.save_contact import get_contact
from chalicelib.core.privacy.eligibility import why_not_channel, why_not_contact
from chalicelib.core.privacy.set_consent import Kind, set_consent
from chalicelib.errors import Conflict, InvalidRequest, Problem
from chalicelib.model.channel import Channel
from chalicelib.model.consent import ConsentSource, OptIn, OptInStatus
from chalicelib.model.contact import ConsentState, Contact
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.message import MessageType
from chalicelib.model.queue_messages import SendOptIn
from chalicelib.model.signing import CONFIRM_URL
from chalicelib.model.skip_reason import SkipReason
from chalicelib.model.template import Template, TemplateStatus, TemplateVersion
from chalicelib.ports import ChannelType, Ports


@dataclass(frozen=True, slots=True)
class OptInRequest:
    """Channel and template of the opt-in message, and the lifetime of its link."""

    channel_uid: str
    template_uid: str
    life: timedelta


def request_opt_in(
    ports: Ports, workspace: WorkspaceUid, uid: str, kind: Kind, request: OptInRequest, origin: ConsentSource
) -> OptIn:
    """Set the consent to PENDING and queue the opt-in message. Return the open opt-in when there is one.

    Raise NotFound, InvalidRequest with all problems, or Conflict when the consent is already granted.
    """
    contact = get_contact(ports, workspace, uid)
    if contact.consent_to(*kind) is ConsentState.GRANTED:
        raise Conflict("The contact has already granted this consent", ConsentState.GRANTED, [ConsentState.REVOKED])
    known = ports.catalog.find(workspace, OptIn, opt_in_id(uid, kind))
    if known and known.is_open(ports.clock.now()) and contact.consent_to(*kind) is ConsentState.PENDING:
        if known.status is OptInStatus.QUEUED:
            ports.jobs.send(SendOptIn(workspace=workspace, uid=known.uid, rev=known.rev))
        return known
    version = _check(ports, workspace, contact, kind, request)
    stored = _store(ports, workspace, _build(ports, contact, kind, request, version), known)
    set_consent(ports, workspace, uid, kind, ConsentState.PENDING, origin)
    ports.jobs.send(SendOptIn(workspace=workspace, uid=stored.uid, rev=stored.rev))
    return stored


def opt_in_id(uid: str, kind: Kind) -> str:
    """Return the id of the opt-in. A contact has at most one per channel type and message type."""
    return blake2b("|".join((uid, *kind)).encode(), digest_size=20).hexdigest()


def opt_in_problem(kind: ChannelType | None, contact: Contact) -> SkipReason | None:
    """Return the reason why the contact cannot be asked, or None.

    An opt-in message needs no consent, even in a strict workspace, but opt-outs of messages apply.
    """
    address = kind.address_of(contact) if kind else None
    if kind is None or address is None:
        return SkipReason.NO_ADDRESS
    return why_not_contact(contact, kind.name, MessageType.MESSAGE, False, address)


def remove_opt_ins(ports: Ports, workspace: WorkspaceUid, contact: Contact) -> None:
    """Remove all opt-ins of an erased contact."""
    kinds = ((each, message_type) for each in {*contact.consent, *ports.channel_types} for message_type in MessageType)
    for kind in kinds:
        ports.catalog.remove(workspace, OptIn, opt_in_id(contact.uid, kind))


def _build(ports: Ports, contact: Contact, kind: Kind, request: OptInRequest, version: int) -> OptIn:
    now = ports.clock.now()
    return OptIn(
        uid=opt_in_id(contact.uid, kind),
        created_at=now,
        updated_at=now,
        contact_uid=contact.uid,
        channel_type=kind[0],
        message_type=kind[1],
        channel_uid=request.channel_uid,
        template_uid=request.template_uid,
        template_version=version,
        expires_at=now + request.life,
    )


def _store(ports: Ports, workspace: WorkspaceUid, opt_in: OptIn, known: OptIn | None) -> OptIn:
    if known:
        return ports.catalog.save(workspace, opt_in.model_copy(update={"rev": known.rev}))
    ports.catalog.add(workspace, opt_in)
    return opt_in


def _check(ports: Ports, workspace: WorkspaceUid, contact: Contact, kind: Kind, request: OptInRequest) -> int:
    """Return the template version to send. Raise InvalidRequest with all problems."""
    channel = ports.catalog.find(workspace, Channel, request.channel_uid)
    template = ports.catalog.find(workspace, Template, request.template_uid)
    problems = []
    if not ports.public_url:
        problems.append(Problem("state", "a confirmation needs a link, and PUBLIC_URL is not set"))
    if reason := why_not_channel(channel):
        problems.append(Problem("channelUid", f"cannot be used: {reason}"))
    elif channel and channel.type != kind[0]:
        problems.append(Problem("channelUid", f"is a channel of type {channel.type}; the consent is for {kind[0]}"))
    elif reason := opt_in_problem(ports.channel_types.get(kind[0]), contact):
        problems.append(Problem("state", f"the contact cannot be asked: {reason}"))
    problems += _check_template(ports, workspace, template, kind[0])
    if problems or template is None:
        raise InvalidRequest(problems)
    return template.latest_version


def _check_template(
    ports: Ports, workspace: WorkspaceUid, template: Template | None, channel_type: str
) -> list[Problem]:
    if template is None or template.status is not TemplateStatus.PUBLISHED:
        return [Problem("templateUid", "is not a published template")]
    version = ports.versions.find_version(workspace, Template, template.uid, template.latest_version, TemplateVersion)
    if version is None or version.channel_type != channel_type:
        return [Problem("templateUid", f"is not a template for {channel_type}")]
    if version.message_type is MessageType.NEWSLETTER:
        return [Problem("templateUid", "is a NEWSLETTER; a confirmation is a MESSAGE")]
    if CONFIRM_URL not in version.variables:
        return [Problem("templateUid", "has no {{ confirm_url }}")]
    return []
