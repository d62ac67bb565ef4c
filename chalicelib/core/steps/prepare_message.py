"""Prepare the message of a SEND step for one contact, or find the reason to skip it."""

from dataclasses import replace
from datetime import datetime
from functools import partial

from chalicelib.core.privacy.eligibility import why_not_address, why_not_channel, why_not_contact
from chalicelib.core.steps.apply_send_result import SendAttempt
from chalicelib.core.steps.send_plan import SendPlan
from chalicelib.core.steps.traversal import SkipMessage, TraversalContext
from chalicelib.core.templates.link_tracking import track
from chalicelib.core.templates.render import MissingParameter, render, resolve_parameters
from chalicelib.errors import GiveUp
from chalicelib.model.channel import Channel, LostResponsePolicy
from chalicelib.model.channel_type import ChannelType
from chalicelib.model.contact import Contact
from chalicelib.model.execution import Execution
from chalicelib.model.graph import Node
from chalicelib.model.ids import NodeId
from chalicelib.model.message import MessageType, OutgoingMessage
from chalicelib.model.send_options import SendOption, SendsMessage
from chalicelib.model.signing import UNSUBSCRIBE_URL
from chalicelib.model.skip_reason import SkipReason
from chalicelib.model.template import TemplateVersion


def traversal_context(plan: SendPlan, contact: Contact, now: datetime) -> TraversalContext:
    """Return what the interpreter needs to advance an execution of this contact at `now`."""
    prepare = partial(prepare_message, plan)
    return TraversalContext(plan.graph, plan.flow.campaign_uid, contact, prepare, now, plan.workspace.timezone)


def prepare_message(
    plan: SendPlan, node: Node, execution: Execution, contact: Contact
) -> OutgoingMessage | SkipMessage:
    """Render the message by the step's own channel, or else by the first fallback that can reach the contact.

    Returns the reason of the own channel when none can. Raises GiveUp for a template that cannot be rendered.
    """
    step = _sending_step(node)
    attempts = (
        _prepare_option(plan, node, index, execution, contact) for index in _open_options(plan, step, execution)
    )
    first = next(attempts)
    return next((each for each in (first, *attempts) if isinstance(each, OutgoingMessage)), first)


def next_send_option(plan: SendPlan, message: OutgoingMessage, execution: Execution, contact: Contact) -> int | None:
    """Return the index of the fallback to use after a permanent refusal. None: no fallback is left."""
    node = plan.graph.nodes[message.uid.node]
    if not isinstance(node.step, SendsMessage):
        return None
    later = (index for index in _open_options(plan, node.step, execution) if index > message.uid.option)
    return next(
        (i for i in later if isinstance(_prepare_option(plan, node, i, execution, contact), OutgoingMessage)), None
    )


def send_attempt(
    plan: SendPlan, execution: Execution, node: NodeId, now: datetime, message: OutgoingMessage | None = None
) -> SendAttempt:
    """Return what `apply_send_result` needs about the attempt at `node`. Without the message, the execution says it."""
    option = message.uid.option if message else execution.option
    channel = message.channel if message else _channel_at(plan, node, option)
    channel_type = plan.channel_types.get(channel.type) if channel else None
    may_resend = channel is not None and channel.lost_answer is LostResponsePolicy.RESEND
    may_resend = may_resend or (channel_type is not None and channel_type.deduplicates)
    uid, cost = channel.uid if channel else "", message.cost if message else 0
    return SendAttempt(node, uid, plan.flow.configuration, may_resend, now, cost, option)


def _channel_at(plan: SendPlan, node: NodeId, option: int) -> Channel | None:
    step = plan.graph.nodes[node].step
    return plan.channel_of(step.options[option].sending) if isinstance(step, SendsMessage) else None


def _sending_step(node: Node) -> SendsMessage:
    if not isinstance(node.step, SendsMessage):
        raise GiveUp("not_a_send", f"Node {node.id} delivers but names no message to send")
    return node.step


def _open_options(plan: SendPlan, step: SendsMessage, execution: Execution) -> range:
    """Return the indexes of the step's options that may still be used.

    Only the current one remains after a lost response, because the contact could get two messages, and where the
    provider falls back by itself.
    """
    own = plan.channel_of(step.options[0].sending)
    channel_type = plan.channel_types.get(own.type) if own else None
    stays = execution.answer_lost or (own is not None and channel_type is not None and channel_type.falls_back(own))
    return range(execution.option, execution.option + 1 if stays else len(step.options))


def _prepare_option(
    plan: SendPlan, node: Node, index: int, execution: Execution, contact: Contact
) -> OutgoingMessage | SkipMessage:
    option = _sending_step(node).options[index]
    channel = plan.channel_of(option.sending)
    reason = why_not_channel(channel)
    if reason or channel is None:
        return SkipMessage(reason or SkipReason.CHANNEL_NOT_FOUND)
    template = plan.templates[f"{node.id}{option.suffix}"]
    channel_type = plan.channel_types.get(channel.type)
    if channel_type is None:
        return SkipMessage(SkipReason.CHANNEL_TYPE_UNKNOWN, channel.uid)
    address = channel_type.address_of(contact)
    strict = plan.workspace.strict_consent
    reason = why_not_contact(contact, channel.type, template.message_type, strict, address)
    reason = reason or why_not_address(contact, channel.type, address, execution.updated)
    if reason or address is None:
        return SkipMessage(reason or SkipReason.NO_ADDRESS, channel.uid)
    message = _render(plan, (node, index, option), (channel, channel_type, address), execution, contact)
    return message or SkipMessage(SkipReason.MISSING_TEMPLATE_PARAMETER, channel.uid)


def _render(
    plan: SendPlan,
    place: tuple[Node, int, SendOption],
    target: tuple[Channel, ChannelType, str],
    execution: Execution,
    contact: Contact,
) -> OutgoingMessage | None:
    """Return the rendered message, or None when a parameter of the template has no value."""
    (node, index, option), (channel, channel_type, address) = place, target
    template = plan.templates[f"{node.id}{option.suffix}"]
    link = _unsubscribe_link(plan, contact, channel, template)
    known = {UNSUBSCRIBE_URL: link or ""}
    values = resolve_parameters(template, option.sending, contact, execution.properties, known)
    if isinstance(values, MissingParameter):
        return None
    try:
        content = render(template, values)
    except GiveUp as error:
        if error.code != SkipReason.MISSING_TEMPLATE_PARAMETER:
            raise
        # A value that is missing deep inside an event property shows only while rendering.
        return None
    uid = replace(execution.message_uid(node.id), option=index)
    content = track(content, plan.links, uid, channel)
    cost = channel.price_of(template.message_type, address) * channel_type.parts_of(content)
    one_click = link if template.message_type is MessageType.NEWSLETTER else None
    return OutgoingMessage(uid, channel, template.message_type, address, content, cost, one_click)


def _unsubscribe_link(plan: SendPlan, contact: Contact, channel: Channel, template: TemplateVersion) -> str | None:
    """Return the link for newsletters and for templates that use it, else None."""
    if template.message_type is not MessageType.NEWSLETTER and UNSUBSCRIBE_URL not in template.variables:
        return None
    return plan.links.unsubscribe(plan.workspace.uid, contact.uid, channel.type, template.message_type)
