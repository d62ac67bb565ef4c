"""Send an opt-in message once, even when its job is delivered several times."""

from datetime import timedelta

from chalicelib.core.privacy.confirm_opt_in import token_fingerprint
from chalicelib.core.privacy.eligibility import why_not_channel
from chalicelib.core.privacy.request_opt_in import opt_in_problem
from chalicelib.core.templates.render import render, resolve_all
from chalicelib.errors import Conflict, GiveUp
from chalicelib.model.base import StrictModel
from chalicelib.model.channel import Channel
from chalicelib.model.consent import OptIn, OptInStatus
from chalicelib.model.contact import ConsentState, Contact
from chalicelib.model.ids import ContactUid, FlowUid, MessageUid, NodeId, WorkspaceUid
from chalicelib.model.message import Accepted, OutcomeUnknown, OutgoingMessage, SendResult, Throttled, TransientFailure
from chalicelib.model.queue_messages import SendOptIn
from chalicelib.model.signing import CONFIRM_URL, UNSUBSCRIBE_URL, Links
from chalicelib.model.skip_reason import SkipReason
from chalicelib.model.template import Defaults, Parameters, ParameterStrategy, Template, TemplateVersion
from chalicelib.ports import Ports

#: Stands for the flow. Delivery reports of opt-in messages match no execution and are dropped.
_NO_FLOW = FlowUid("opt-in")
#: Longer than any run of the jobs function. After it, the worker that was sending has ended.
_LEASE = timedelta(seconds=90)
_RETRY_AFTER = timedelta(seconds=30)
_MAX_ATTEMPTS = 5


class _Sources(StrictModel):
    """Parameter sources of an opt-in message: the contact, then the defaults of the template."""

    parameter_strategy: ParameterStrategy = ParameterStrategy.USE_CONTACT_ASSOCIATION
    parameters: Parameters = {}
    parameter_defaults: Defaults = {}


def send_opt_in(ports: Ports, job: SendOptIn) -> None:
    """Send a queued opt-in message. An interrupted send becomes UNKNOWN and is not sent again without a new request."""
    workspace = job.workspace
    opt_in = ports.catalog.find(workspace, OptIn, job.uid)
    if opt_in is None:
        return
    try:
        if (opt_in.rev, opt_in.status) == (job.rev, OptInStatus.QUEUED):
            claimed = _save(ports, workspace, opt_in, status=OptInStatus.SENDING)
            _apply_result(ports, workspace, claimed, _send(ports, workspace, claimed))
        elif opt_in.status is OptInStatus.SENDING and ports.clock.now() - opt_in.updated_at > _LEASE:
            _save(ports, workspace, opt_in, status=OptInStatus.UNKNOWN, reason="broke_off")
    except Conflict:
        return  # Another delivery of the job sends the message, or a new request replaced it.


def _apply_result(ports: Ports, workspace: WorkspaceUid, opt_in: OptIn, result: SendResult | str) -> None:
    if isinstance(result, TransientFailure | Throttled) and opt_in.attempts + 1 < _MAX_ATTEMPTS:
        again = _save(ports, workspace, opt_in, status=OptInStatus.QUEUED, attempts=opt_in.attempts + 1)
        ports.jobs.send(SendOptIn(workspace=workspace, uid=again.uid, rev=again.rev), _RETRY_AFTER)
        return
    _save(ports, workspace, opt_in, **_after(result))


def _after(result: SendResult | str) -> dict[str, object]:
    if isinstance(result, Accepted):
        return {"status": OptInStatus.SENT, "reason": None}
    if isinstance(result, OutcomeUnknown):
        return {"status": OptInStatus.UNKNOWN, "reason": result.why}
    reason = result if isinstance(result, str) else getattr(result, "code", "throttled")
    return {"status": OptInStatus.FAILED, "reason": reason}


def _save(ports: Ports, workspace: WorkspaceUid, opt_in: OptIn, **changes: object) -> OptIn:
    return ports.catalog.save(workspace, opt_in.model_copy(update={**changes, "updated_at": ports.clock.now()}))


def _send(ports: Ports, workspace: WorkspaceUid, opt_in: OptIn) -> SendResult | str:
    """The result, or why there is nothing to send."""
    uid = ContactUid(opt_in.contact_uid)
    contact = ports.contacts.find_many(workspace, [uid], strong=True).get(uid)
    channel = ports.catalog.find(workspace, Channel, opt_in.channel_uid)
    if contact is None or contact.consent_to(opt_in.channel_type, opt_in.message_type) is not ConsentState.PENDING:
        return "no_longer_pending"
    kind = ports.channel_types.get(opt_in.channel_type)
    reason = why_not_channel(channel) or opt_in_problem(kind, contact)
    if reason or channel is None or kind is None:
        return reason or SkipReason.CHANNEL_NOT_FOUND
    message = _write(ports, workspace, opt_in, contact, channel)
    if isinstance(message, str):
        return message
    try:
        return kind.send(message)
    except Exception as error:  # noqa: BLE001 - after an unexpected error the provider may have accepted the message
        return OutcomeUnknown(type(error).__name__)


def _write(
    ports: Ports, workspace: WorkspaceUid, opt_in: OptIn, contact: Contact, channel: Channel
) -> OutgoingMessage | str:
    number = opt_in.template_version
    version = ports.versions.find_version(workspace, Template, opt_in.template_uid, number, TemplateVersion)
    if version is None:
        return "template_missing"
    links = {CONFIRM_URL: _link(ports, workspace, opt_in, contact), UNSUBSCRIBE_URL: ""}
    values, missing = resolve_all(version, _Sources(), contact, None, links)
    if missing:
        return SkipReason.MISSING_TEMPLATE_PARAMETER
    try:
        content = render(version, values)
    except GiveUp as error:
        return error.code
    # Channels drop a second message with the same uid, so a new request must change it. The rev does.
    uid = MessageUid(workspace, _NO_FLOW, ContactUid(contact.uid), NodeId(opt_in.uid), opt_in.rev)
    address = ports.channel_types[channel.type].address_of(contact) or ""
    return OutgoingMessage(uid, channel, version.message_type, address, content)


def _link(ports: Ports, workspace: WorkspaceUid, opt_in: OptIn, contact: Contact) -> str:
    expires = str(int(opt_in.expires_at.timestamp()))
    fingerprint = token_fingerprint(ports, workspace, contact, opt_in.channel_type)
    parts = (workspace, contact.uid, opt_in.channel_type, opt_in.message_type, expires, fingerprint)
    return Links(ports.secret(), ports.public_url).confirm(parts)
