"""Sends the message by which a contact confirms: once, however often its job comes."""

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

#: In place of a flow: events of confirmation messages find no row and are dropped.
_NO_FLOW = FlowUid("opt-in")
#: Longer than any run of the jobs function: who was sending then is not sending any more.
_LEASE = timedelta(seconds=90)
_RETRY_AFTER = timedelta(seconds=30)
_MAX_ATTEMPTS = 5


class _Sources(StrictModel):
    """A confirmation takes its values from the contact, else from the template's defaults."""

    parameter_strategy: ParameterStrategy = ParameterStrategy.USE_CONTACT_ASSOCIATION
    parameters: Parameters = {}
    parameter_defaults: Defaults = {}


def send_opt_in(ports: Ports, job: SendOptIn) -> None:
    """What became of a send that broke off is unknown: it is sent again only when somebody asks anew."""
    workspace = job.workspace
    opt_in = ports.catalog.find(workspace, OptIn, job.uid)
    if opt_in is None:
        return
    try:
        if (opt_in.rev, opt_in.status) == (job.rev, OptInStatus.QUEUED):
            mine = _save(ports, workspace, opt_in, status=OptInStatus.SENDING)
            _settle(ports, workspace, mine, _send(ports, workspace, mine))
        elif opt_in.status is OptInStatus.SENDING and ports.clock.now() - opt_in.updated_at > _LEASE:
            _save(ports, workspace, opt_in, status=OptInStatus.UNKNOWN, reason="broke_off")
    except Conflict:
        return  # Another delivery of the job has it, or it was asked anew.


def _settle(ports: Ports, workspace: WorkspaceUid, opt_in: OptIn, verdict: SendResult | str) -> None:
    if isinstance(verdict, TransientFailure | Throttled) and opt_in.attempts + 1 < _MAX_ATTEMPTS:
        again = _save(ports, workspace, opt_in, status=OptInStatus.QUEUED, attempts=opt_in.attempts + 1)
        ports.jobs.send(SendOptIn(workspace=workspace, uid=again.uid, rev=again.rev), _RETRY_AFTER)
        return
    _save(ports, workspace, opt_in, **_after(verdict))


def _after(verdict: SendResult | str) -> dict[str, object]:
    if isinstance(verdict, Accepted):
        return {"status": OptInStatus.SENT, "reason": None}
    if isinstance(verdict, OutcomeUnknown):
        return {"status": OptInStatus.UNKNOWN, "reason": verdict.why}
    reason = verdict if isinstance(verdict, str) else getattr(verdict, "code", "throttled")
    return {"status": OptInStatus.FAILED, "reason": reason}


def _save(ports: Ports, workspace: WorkspaceUid, opt_in: OptIn, **changes: object) -> OptIn:
    return ports.catalog.save(workspace, opt_in.model_copy(update={**changes, "updated_at": ports.clock.now()}))


def _send(ports: Ports, workspace: WorkspaceUid, opt_in: OptIn) -> SendResult | str:
    """The verdict, or why there is nothing to send."""
    uid = ContactUid(opt_in.contact_uid)
    contact = ports.contacts.find_many(workspace, [uid], strong=True).get(uid)
    channel = ports.catalog.find(workspace, Channel, opt_in.channel_uid)
    if contact is None or contact.consent_to(opt_in.channel_type, opt_in.message_type) is not ConsentState.PENDING:
        return "no_longer_pending"
    kind = ports.channel_types.get(opt_in.channel_type)
    reason = why_not_channel(channel) or opt_in_problem(kind, contact)
    if reason or channel is None or kind is None:
        return reason or SkipReason.CHANNEL_NOT_FOUND
    letter = _write(ports, workspace, opt_in, contact, channel)
    if isinstance(letter, str):
        return letter
    try:
        return kind.send(letter)
    except Exception as error:  # noqa: BLE001 - whatever an adapter forgot, the provider may have taken the message
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
    # The rev makes it another message when it is asked anew, for channels that drop a second one with the same uid.
    uid = MessageUid(workspace, _NO_FLOW, ContactUid(contact.uid), NodeId(opt_in.uid), opt_in.rev)
    address = ports.channel_types[channel.type].address_of(contact) or ""
    return OutgoingMessage(uid, channel, version.message_type, address, content)


def _link(ports: Ports, workspace: WorkspaceUid, opt_in: OptIn, contact: Contact) -> str:
    expires = str(int(opt_in.expires_at.timestamp()))
    mark = token_fingerprint(ports, workspace, contact, opt_in.channel_type)
    parts = (workspace, contact.uid, opt_in.channel_type, opt_in.message_type, expires, mark)
    return Links(ports.secret(), ports.public_url).confirm(parts)
