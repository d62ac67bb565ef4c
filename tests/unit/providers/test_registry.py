"""Every channel type stands in the registry under its own name, and shows what it takes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.model.delivery_report import ProviderCallback
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import ChannelType
from chalicelib.providers.registry import CHANNEL_TYPES, ChannelTypes, ProviderClients
from tests.unit.providers.messages import KnownSecrets, build_client, make_message

EDGES = ProviderClients(
    ses=build_client("sesv2"),
    messaging=build_client("pinpoint-sms-voice-v2"),
    social=build_client("socialmessaging"),
    sns=build_client("sns"),
    secrets=KnownSecrets(),
)
BUILT = ChannelTypes(EDGES)


def test_each_type_is_built_under_its_own_name() -> None:
    names = ["console", "email", "push", "rcs", "sms", "webhook", "whatsapp"]
    assert list(BUILT) == list(CHANNEL_TYPES) == [kind.name for kind in BUILT.values()] == names
    assert [name for name, kind in BUILT.items() if kind.deduplicates] == ["webhook"]
    assert len(BUILT) == len(names)


def test_what_a_type_remembers_is_there_once() -> None:
    kinds = ChannelTypes(EDGES)
    assert kinds["email"] is kinds["email"] is kinds.get("email")


def test_no_other_module_is_a_channel_type() -> None:
    assert BUILT.get("registry") is BUILT.get("_http") is None
    assert "registry" not in BUILT


@pytest.mark.parametrize("kind", BUILT.values(), ids=BUILT)
def test_settings_and_content_have_schemas_that_a_form_can_be_made_of(kind: ChannelType) -> None:
    for model in (kind.settings, kind.content):
        schema = model.model_json_schema(by_alias=True)
        assert schema["type"] == "object"
        assert json.dumps(schema)


#: Field names of real events, so that the generated objects reach deep code paths.
NAMES = """
    eventType mail bounce complaint subscription newTopicPreferences tags message Type Message detail-type detail
    messageId context isFinal eventTimestamp totalMessagePrice inboundMessageId messageBody whatsAppWebhookEntry object
    entry changes value statuses messages errors code timestamp user_preferences EventType EndpointArn Time text body
""".split()  # noqa: SIM905  a list of as many literals is a page long
VALUES = """
    Bounce Send TEXT_DELIVERED RCS_READ Notification whatsapp_business_account DeliveryFailure 0001-01-01T00:00+23:00
""".split()  # noqa: SIM905  as above
LEAVES = st.sampled_from(VALUES) | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
TREES = st.recursive(
    LEAVES, lambda each: st.lists(each, max_size=3) | st.dictionaries(st.sampled_from(NAMES), each), max_leaves=20
)


@given(event=st.dictionaries(st.sampled_from(NAMES), TREES, max_size=8))
def test_no_event_is_so_odd_that_reading_it_fails(event: dict[str, object]) -> None:
    for body in (json.dumps(event), json.dumps({"Type": "Notification", "Message": json.dumps(event)})):
        for kind in BUILT.values():
            assert isinstance(kind.read_events(ProviderCallback(body.encode())), tuple)


@given(body=st.binary(max_size=300), url=st.text(max_size=50))
def test_no_callback_is_so_odd_that_reading_it_fails(body: bytes, url: str) -> None:
    for kind in BUILT.values():
        assert isinstance(kind.read_events(ProviderCallback(b"MessageSid=SM1&" + body, url)), tuple)
        assert isinstance(kind.read_events(ProviderCallback(body, url)), tuple)


@pytest.mark.parametrize("kind", BUILT.values(), ids=BUILT)
def test_no_type_takes_a_strangers_callback(kind: ChannelType) -> None:
    assert kind.read_events(ProviderCallback(b'{"hello": "world"}')) == ()
    assert kind.read_events(ProviderCallback(b"hello=world", "https://carillon.example/v1/hooks/w.ch")) == ()
    channel = make_message(kind.name, {"provider": "aws"}, {}).channel
    assert not kind.is_genuine(WorkspaceUid("w"), channel, ProviderCallback(b"{}"))
    assert kind.answer_challenge(WorkspaceUid("w"), channel, {"hub.mode": "subscribe"}) is None
