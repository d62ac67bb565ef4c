"""Send one test message over a channel, outside of every flow and statistic."""

from collections.abc import Mapping
from typing import Annotated, assert_never

from pydantic import Field, ValidationError

from chalicelib.core.privacy.eligibility import why_not_contact
from chalicelib.core.templates.preview_template import (
    TemplatePreviewRequest,
    choose_version,
    find_contact,
    render_preview,
)
from chalicelib.errors import Conflict, InvalidRequest, Problem, invalid
from chalicelib.model.base import StrictModel, Uid
from chalicelib.model.channel import Approval, Channel
from chalicelib.model.contact import Contact
from chalicelib.model.ids import ContactUid, FlowUid, MessageUid, NodeId, WorkspaceUid, new_uid
from chalicelib.model.message import (
    Accepted,
    AccountUnpaid,
    ChannelFailure,
    MessageType,
    OutcomeUnknown,
    OutgoingMessage,
    PermanentFailure,
    RecipientSuppressed,
    SendResult,
    Throttled,
    TransientFailure,
)
from chalicelib.model.skip_reason import SkipReason
from chalicelib.model.template import TemplateVersion
from chalicelib.model.validation_problems import validation_problems
from chalicelib.model.workspace import Workspace
from chalicelib.ports import ChannelType, Ports

#: Flow uid, and for a bare address also contact uid. Reports about test messages match no execution and are dropped.
_NOWHERE = "test"


#: Send results that refuse the message → their name in the answer.
_REFUSALS: Mapping[type[SendResult], str] = {
    TransientFailure: "retryable",
    PermanentFailure: "permanent",
    RecipientSuppressed: "suppress",
    ChannelFailure: "channel",
}


class TestMessage(TemplatePreviewRequest):
    """A test message to an address (`to`) or to a contact, from a template or with its own `content`."""

    __test__ = False  # pytest must not collect it.

    to: Annotated[str, Field(min_length=1, max_length=320)] | None = None
    """Address that receives the message, at most 320 characters; null uses the contact."""
    template_uid: Uid | None = None
    """Template of the message; null if `content` is set."""
    content: Annotated[Mapping[str, str], Field(max_length=20)] | None = None
    """Content of a message without a template, at most 20 fields."""


class TestResult(StrictModel):
    """The provider's answer. `verdict`: accepted, throttled, retryable, permanent, suppress, channel or unknown."""

    __test__ = False  # pytest must not collect it.

    message_uid: str
    """Identifier of the test message."""
    verdict: str
    """Answer of the provider: accepted, throttled, retryable, permanent, suppress, channel or unknown."""
    provider_id: str | None = None
    """Identifier that the provider gave the message; null without an answer."""
    code: str | None = None
    """Failure code; null if the message was accepted."""


def send_test(ports: Ports, workspace: WorkspaceUid, channel_uid: str, message: TestMessage) -> TestResult:
    """Send the message. Raises InvalidRequest with every problem, NotFound, and Conflict for a blocked channel."""
    channel = ports.catalog.get(workspace, Channel, channel_uid)
    if channel.approval is Approval.BLOCKED:
        raise Conflict(
            "The channel is blocked and cannot send", channel.approval, (Approval.APPROVED, Approval.PENDING)
        )
    _check_choices(message)
    channel_type = ports.channel_types[channel.type]
    contact = find_contact(ports, workspace, message.contact_uid)
    content, message_type = _write(ports, workspace, channel_type, message, contact)
    to = _address(ports, workspace, channel_type, message, (contact, message_type))
    uid = MessageUid(workspace, FlowUid(_NOWHERE), ContactUid(message.contact_uid or _NOWHERE), NodeId(new_uid()))
    return _test_result(str(uid), channel_type.send(OutgoingMessage(uid, channel, message_type, to, content)))


def _check_choices(message: TestMessage) -> None:
    problems = []
    if (message.to is None) == (message.contact_uid is None):
        problems.append(Problem("to", "give either to or contactUid"))
    if (message.template_uid is None) == (message.content is None):
        problems.append(Problem("content", "give either content or templateUid"))
    if problems:
        raise InvalidRequest(problems)


def _write(
    ports: Ports, workspace: WorkspaceUid, channel_type: ChannelType, message: TestMessage, contact: Contact | None
) -> tuple[Mapping[str, str], MessageType]:
    if message.template_uid is None:
        return _read_content(channel_type, message.content or {}), MessageType.MESSAGE
    version = choose_version(ports, workspace, message.template_uid, message.version)
    _check_type(version, channel_type)
    content, missing = render_preview(version, message, contact)
    if content is None:
        raise InvalidRequest([Problem(f"values.{name}", "has no value; give one in values") for name in missing])
    return content, version.message_type


def _check_type(version: TemplateVersion, channel_type: ChannelType) -> None:
    if version.channel_type != channel_type.name:
        raise invalid(
            "templateUid",
            f"is a template for {version.channel_type} channels; the type of this channel is {channel_type.name}",
        )


def _read_content(channel_type: ChannelType, content: Mapping[str, str]) -> Mapping[str, str]:
    try:
        read: dict[str, str] = channel_type.content.model_validate(dict(content)).model_dump(
            by_alias=True, exclude_none=True
        )
    except ValidationError as error:
        raise InvalidRequest(validation_problems(error, "content")) from error
    return read


def _address(
    ports: Ports,
    workspace: WorkspaceUid,
    channel_type: ChannelType,
    message: TestMessage,
    who: tuple[Contact | None, MessageType],
) -> str:
    contact, message_type = who
    if contact is None:
        return message.to or ""
    strict = ports.catalog.get(workspace, Workspace, workspace).strict_consent
    address = channel_type.address_of(contact)
    reason = why_not_contact(contact, channel_type.name, message_type, strict, address)
    if reason or address is None:
        raise invalid("contactUid", f"the contact cannot receive the message: {reason or SkipReason.NO_ADDRESS}")
    return address


def _test_result(uid: str, result: SendResult) -> TestResult:
    match result:
        case Accepted(provider_id):
            return TestResult(message_uid=uid, verdict="accepted", provider_id=provider_id)
        case OutcomeUnknown(why):
            return TestResult(message_uid=uid, verdict="unknown", code=why)
        case AccountUnpaid(code):
            return TestResult(message_uid=uid, verdict="channel", code=f"balance:{code}")
        case Throttled():
            return TestResult(message_uid=uid, verdict="throttled")
        case TransientFailure() | PermanentFailure() | RecipientSuppressed() | ChannelFailure():
            return TestResult(message_uid=uid, verdict=_REFUSALS[type(result)], code=result.code)
        case _:
            assert_never(result)
