"""Records what providers report of messages, and what contacts do with our own links; in any order, once or often."""

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

#: A receipt may be here before the provider's answer is saved; then it waits for so long, on the real clock.
EARLY = timedelta(seconds=5)
#: AWS does not tell of a text from a phone whether it answers an SMS or a message by RCS.
_ONE_INBOX = frozenset({"sms", "rcs"})


@dataclass(frozen=True, slots=True)
class ReceiptBatchResult:
    """How many reports a message of the queue held, and whether it went back, as one came too early."""

    reports: int
    is_early: bool = False


@dataclass(frozen=True, slots=True)
class _Source:
    """Whose word reports are: of one channel's provider, or (`channel` is None) of our own account's services."""

    channel_type: str
    at: datetime
    #: The same whenever the same callback is delivered again.
    id: str
    workspace: WorkspaceUid | None = None
    channel: ChannelUid | None = None
    #: Whether it was delivered to us before.
    again: bool = False

    @property
    def channel_types(self) -> frozenset[str]:
        """What an answer or an opt-out may be about."""
        shares = self.channel is None and self.channel_type in _ONE_INBOX
        return _ONE_INBOX if shares else frozenset({self.channel_type})

    def when(self, report: DeliveryReport, now: datetime) -> datetime:
        """By the provider's clock if it says, and never in the future."""
        return min(report.at or self.at, now)


def record_receipts(ports: Ports, text: str, again: bool = False) -> ReceiptBatchResult:
    """What one message of the queue says, `again` if it comes anew. It is silent of deleted flows and contacts."""
    own = parse_internal(text)
    if isinstance(own, LinkVisit):
        recorded = _record_followed(ports, own, again)
    elif own is not None:
        recorded = _record_posted(ports, own, again)
    else:
        recorded = _record_published(ports, text, again)
    if recorded.is_early:
        ports.receipt_queue.send(text, EARLY)
    return recorded


def _record_followed(ports: Ports, followed: LinkVisit, again: bool) -> ReceiptBatchResult:
    uid = read_message_uid(followed.message_uid)
    if uid is None:
        return ReceiptBatchResult(0)
    source = _Source("", followed.at, "", again=again)
    return ReceiptBatchResult(1, not _record_of_message(ports, uid, DeliveryReport(followed.engagement), source))


def _record_posted(ports: Ports, posted: QueuedCallback, again: bool) -> ReceiptBatchResult:
    workspace, uid = posted.workspace, posted.channel
    channel = ports.catalog.find(workspace, Channel, uid)
    if channel is None or channel.type not in ports.channel_types:
        return ReceiptBatchResult(0)
    callback = decompress_body(posted)
    source = _Source(channel.type, posted.at, _digest(callback.body), workspace, uid, again)
    return _record_all(ports, ports.channel_types[channel.type].read_events(callback), source)


def _record_published(ports: Ports, text: str, again: bool) -> ReceiptBatchResult:
    callback = ProviderCallback(text.encode())
    at = parse_sns(text) or ports.clock.now()
    for name, kind in ports.channel_types.items():
        if reports := kind.read_events(callback):
            return _record_all(ports, reports, _Source(name, at, _digest(callback.body), again=again))
    return ReceiptBatchResult(0)


def _digest(body: bytes) -> str:
    return blake2b(body, digest_size=16).hexdigest()


def _record_all(ports: Ports, reports: tuple[DeliveryReport, ...], source: _Source) -> ReceiptBatchResult:
    done = [
        _record_of_message(ports, report.message, report, source)
        if report.message
        else _record_of_address(ports, report, source, index)
        for index, report in enumerate(reports)
    ]
    return ReceiptBatchResult(len(reports), not all(done))


def _record_of_message(ports: Ports, uid: MessageUid, report: DeliveryReport, source: _Source) -> bool:
    """False when it came too early. Whoever owns a channel can sign anything: but only of their own workspace."""
    if source.workspace not in {None, uid.workspace}:
        return True
    at = source.when(report, ports.clock.now())
    if report.suppress and report.address and (place := find_address_owner(ports, uid.workspace, report.address)):
        apply_opt_out(ports, place, source.channel_type, report, at)
    if source.channel_type and report.code in ports.channel_types[source.channel_type].incapable:
        mark_unreachable(ports, uid.workspace, uid.contact, source.channel_type)
    found = find_message(ports, uid)
    if found is None:
        return True
    if is_being_sent(ports, found):
        return False
    if not found.is_current:
        return True
    _note(ports, found, report, message_occasion(uid, at), source.again)
    return True


def _note(ports: Ports, found: MatchedMessage, report: DeliveryReport, occasion: EngagementEvent, again: bool) -> None:
    """Told and then raised, each harmless twice: what breaks off in between is done again by the redelivery."""
    receipt = DeliveryReceipt(report.engagement, occasion.at, report.is_soft) if report.engagement else None
    is_outdone = receipt is not None and receipt.is_soft and found.known and found.known.rank > receipt.rank
    if not is_outdone:
        contact = ContactUid(found.uid.contact)
        publish_engagement(ports, found.uid.workspace, contact, report, (found, occasion))
    if receipt:
        update_engagement(ports, found, receipt, again)


def _record_of_address(ports: Ports, report: DeliveryReport, source: _Source, index: int) -> bool:
    """An answer, an opt-out, or a failure, of which only the address is known."""
    if report.address is None:
        return True
    at, channels = source.when(report, ports.clock.now()), _candidates(ports, source)
    places = [place for workspace in channels if (place := find_address_owner(ports, workspace, report.address))]
    for place in places:
        # A number that several workspaces share: who has such a contact heeds its no.
        if source.workspace or place.contact:
            _heed(ports, place, report, source, at)
    if report.reply is not None:
        _note_reply(ports, report, EngagementEvent(at, f"{source.id}:{index}"), (places, channels), source.again)
    return True


def _heed(ports: Ports, place: AddressOwner, report: DeliveryReport, source: _Source, at: datetime) -> None:
    for channel_type in sorted(source.channel_types):
        apply_opt_out(ports, place, channel_type, report, at)
        if report.resumes:
            apply_opt_in(ports, place, channel_type, at)


def _candidates(ports: Ports, source: _Source) -> Mapping[WorkspaceUid, set[ChannelUid]]:
    if source.workspace and source.channel:
        return {source.workspace: {source.channel}}
    return channels_of_types(ports, source.channel_types)


def _note_reply(
    ports: Ports,
    report: DeliveryReport,
    occasion: EngagementEvent,
    where: tuple[list[AddressOwner], Mapping[WorkspaceUid, set[ChannelUid]]],
    again: bool,
) -> None:
    """Of the newest message that can be meant; where there is none it is an event of the contact all the same."""
    places, channels = where
    known = [(place, place.contact) for place in places if place.contact]
    answered = [
        found
        for place, contact in known
        if (found := match_reply(ports, place.workspace, contact, channels[place.workspace], report.provider_id))
    ]
    if answered:
        _, newest = max(answered, key=lambda each: each[0])
        _note(ports, newest, report, occasion, again)
        return
    for place, contact in known:
        publish_engagement(ports, place.workspace, ContactUid(contact.uid), report, (None, occasion))
