"""Process delivery reports of providers and visits of tracked links, in any order and repeatedly."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from chalicelib.core.contacts.mark_unreachable import mark_unreachable
from chalicelib.core.privacy.apply_opt_out import AddressOwner, apply_opt_in, apply_opt_out, find_address_owner
from chalicelib.core.receipts.match_reply import channels_of_types, match_reply
from chalicelib.core.receipts.publish_engagement import EngagementEvent, message_occasion, publish_engagement
from chalicelib.core.receipts.update_engagement import MatchedMessage, find_message, is_being_sent, update_engagement
from chalicelib.model.channel import Channel
from chalicelib.model.delivery_report import DeliveryReport, ProviderCallback
from chalicelib.model.execution import DeliveryReceipt
from chalicelib.model.ids import ChannelUid, ContactUid, MessageUid, WorkspaceUid, read_message_uid
from chalicelib.model.queued_report import LinkVisit, QueuedCallback, decompress_body, parse_internal, parse_sns
from chalicelib.ports import Ports

#: A report may arrive before the send result is saved. It is then processed again after this delay, by the real clock.
EARLY = timedelta(seconds=5)
#: AWS does not report whether an incoming text answers an SMS or an RCS message.
_ONE_INBOX = frozenset({"sms", "rcs"})


@dataclass(frozen=True, slots=True)
class ReceiptBatchResult:
    """The result of one queue message: the number of its reports."""

    reports: int
    #: Whether a report came too early, so that the queue message was sent again.
    is_early: bool = False


@dataclass(frozen=True, slots=True)
class _Source:
    """The sender of reports: the provider of one channel, or, without `channel`, a service of the own AWS account."""

    channel_type: str
    at: datetime
    #: Id of the callback. It is the same when the callback is delivered again.
    id: str
    workspace: WorkspaceUid | None = None
    channel: ChannelUid | None = None
    #: Whether the queue message was received before.
    is_redelivered: bool = False

    @property
    def channel_types(self) -> frozenset[str]:
        """The channel types that a reply or an opt-out may be about."""
        shares = self.channel is None and self.channel_type in _ONE_INBOX
        return _ONE_INBOX if shares else frozenset({self.channel_type})

    def time_of(self, report: DeliveryReport, now: datetime) -> datetime:
        """Return the provider's time of the report if it has one, and never a time in the future."""
        return min(report.at or self.at, now)


def record_receipts(ports: Ports, text: str, is_redelivered: bool = False) -> ReceiptBatchResult:
    """Record the reports of one queue message. Reports about deleted flows and contacts are ignored."""
    internal = parse_internal(text)
    if isinstance(internal, LinkVisit):
        recorded = _record_visit(ports, internal, is_redelivered)
    elif internal is not None:
        recorded = _record_callback(ports, internal, is_redelivered)
    else:
        recorded = _record_notification(ports, text, is_redelivered)
    if recorded.is_early:
        ports.receipt_queue.send(text, EARLY)
    return recorded


def _record_visit(ports: Ports, visit: LinkVisit, is_redelivered: bool) -> ReceiptBatchResult:
    uid = read_message_uid(visit.message_uid)
    if uid is None:
        return ReceiptBatchResult(0)
    source = _Source("", visit.at, "", is_redelivered=is_redelivered)
    return ReceiptBatchResult(1, not _record_for_message(ports, uid, DeliveryReport(visit.engagement), source))


def _record_callback(ports: Ports, queued: QueuedCallback, is_redelivered: bool) -> ReceiptBatchResult:
    workspace, uid = queued.workspace, queued.channel
    channel = ports.catalog.find(workspace, Channel, uid)
    if channel is None or channel.type not in ports.channel_types:
        return ReceiptBatchResult(0)
    callback = decompress_body(queued)
    source = _Source(channel.type, queued.at, _digest(callback.body), workspace, uid, is_redelivered)
    return _record_all(ports, ports.channel_types[channel.type].read_events(callback), source)


def _record_notification(ports: Ports, text: str, is_redelivered: bool) -> ReceiptBatchResult:
    """Record an SNS notification of the own AWS account: the first channel type that can read it takes it."""
    callback = ProviderCallback(text.encode())
    at = parse_sns(text) or ports.clock.now()
    for name, channel_type in ports.channel_types.items():
        if reports := channel_type.read_events(callback):
            source = _Source(name, at, _digest(callback.body), is_redelivered=is_redelivered)
            return _record_all(ports, reports, source)
    return ReceiptBatchResult(0)


def _digest(body: bytes) -> str:
    return blake2b(body, digest_size=16).hexdigest()


def _record_all(ports: Ports, reports: tuple[DeliveryReport, ...], source: _Source) -> ReceiptBatchResult:
    recorded = [
        _record_for_message(ports, report.message, report, source)
        if report.message
        else _record_for_address(ports, report, source, index)
        for index, report in enumerate(reports)
    ]
    return ReceiptBatchResult(len(reports), not all(recorded))


def _record_for_message(ports: Ports, uid: MessageUid, report: DeliveryReport, source: _Source) -> bool:
    """Record a report that names its message. Returns False when it came too early.

    The owner of a channel can sign any report, so a report counts only for messages of the channel's own workspace.
    """
    if source.workspace not in {None, uid.workspace}:
        return True
    at = source.time_of(report, ports.clock.now())
    if report.suppress and report.address and (owner := find_address_owner(ports, uid.workspace, report.address)):
        apply_opt_out(ports, owner, source.channel_type, report, at)
    if source.channel_type and report.code in ports.channel_types[source.channel_type].unreachable_codes:
        mark_unreachable(ports, uid.workspace, uid.contact, source.channel_type)
    found = find_message(ports, uid)
    if found is None:
        return True
    if is_being_sent(ports, found):
        return False
    if not found.is_current:
        return True
    _record(ports, found, report, message_occasion(uid, at), source.is_redelivered)
    return True


def _record(
    ports: Ports, found: MatchedMessage, report: DeliveryReport, occasion: EngagementEvent, is_redelivered: bool
) -> None:
    """Publish the event, then store the receipt. Both are idempotent: a redelivery completes an interrupted run."""
    receipt = DeliveryReceipt(report.engagement, occasion.at, report.is_soft) if report.engagement else None
    is_outdated = receipt is not None and receipt.is_soft and found.known and found.known.rank > receipt.rank
    if not is_outdated:
        contact = ContactUid(found.uid.contact)
        publish_engagement(ports, found.uid.workspace, contact, report, (found, occasion))
    if receipt:
        update_engagement(ports, found, receipt, is_redelivered)


def _record_for_address(ports: Ports, report: DeliveryReport, source: _Source, index: int) -> bool:
    """Record a reply, an opt-out or a failure that names only an address."""
    if report.address is None:
        return True
    at, channels = source.time_of(report, ports.clock.now()), _candidates(ports, source)
    owners = [owner for workspace in channels if (owner := find_address_owner(ports, workspace, report.address))]
    for owner in owners:
        # Several workspaces may share a number. The opt-out counts in each workspace that has a contact with it.
        if source.workspace or owner.contact:
            _apply_consent(ports, owner, report, source, at)
    if report.reply is not None:
        occasion = EngagementEvent(at, f"{source.id}:{index}")
        _record_reply(ports, report, occasion, (owners, channels), source.is_redelivered)
    return True


def _apply_consent(ports: Ports, owner: AddressOwner, report: DeliveryReport, source: _Source, at: datetime) -> None:
    for channel_type in sorted(source.channel_types):
        apply_opt_out(ports, owner, channel_type, report, at)
        if report.resumes:
            apply_opt_in(ports, owner, channel_type, at)


def _candidates(ports: Ports, source: _Source) -> Mapping[WorkspaceUid, set[ChannelUid]]:
    if source.workspace and source.channel:
        return {source.workspace: {source.channel}}
    return channels_of_types(ports, source.channel_types)


def _record_reply(
    ports: Ports,
    report: DeliveryReport,
    occasion: EngagementEvent,
    senders: tuple[list[AddressOwner], Mapping[WorkspaceUid, set[ChannelUid]]],
    is_redelivered: bool,
) -> None:
    """Record a reply to the newest matching message. Without one it is only an event of the contact."""
    owners, channels = senders
    known = [(owner, owner.contact) for owner in owners if owner.contact]
    answered = [
        found
        for owner, contact in known
        if (found := match_reply(ports, owner.workspace, contact, channels[owner.workspace], report.provider_id))
    ]
    if answered:
        _, newest = max(answered, key=lambda each: each[0])
        _record(ports, newest, report, occasion, is_redelivered)
        return
    for owner, contact in known:
        publish_engagement(ports, owner.workspace, ContactUid(contact.uid), report, (None, occasion))
