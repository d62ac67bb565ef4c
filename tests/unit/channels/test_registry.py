"""Every channel type stands in the registry under its own name, and shows what it takes."""

import json

import pytest

from chalicelib.channels.registry import CHANNEL_TYPES, Edges, build_channel_types
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.receipt import Callback
from chalicelib.ports import ChannelType
from tests.unit.channels.letters import KnownSecrets, build_client, letter

EDGES = Edges(
    ses=build_client("sesv2"),
    messaging=build_client("pinpoint-sms-voice-v2"),
    social=build_client("socialmessaging"),
    sns=build_client("sns"),
    secrets=KnownSecrets(),
)
BUILT = build_channel_types(EDGES)


def test_each_type_is_built_under_its_own_name() -> None:
    names = ["console", "email", "push", "rcs", "sms", "webhook", "whatsapp"]
    assert list(BUILT) == list(CHANNEL_TYPES) == [kind.name for kind in BUILT.values()] == names
    assert [name for name, kind in BUILT.items() if kind.deduplicates] == ["webhook"]


@pytest.mark.parametrize("kind", BUILT.values(), ids=BUILT)
def test_settings_and_content_have_schemas_that_a_form_can_be_made_of(kind: ChannelType) -> None:
    for model in (kind.settings, kind.content):
        schema = model.model_json_schema(by_alias=True)
        assert schema["type"] == "object"
        assert json.dumps(schema)


@pytest.mark.parametrize("kind", BUILT.values(), ids=BUILT)
def test_no_type_takes_a_strangers_callback(kind: ChannelType) -> None:
    assert kind.read_events(Callback(b'{"hello": "world"}')) == ()
    assert kind.read_events(Callback(b"hello=world", "https://carillon.example/v1/hooks/w.ch")) == ()
    channel = letter(kind.name, {"provider": "aws"}, {}).channel
    assert not kind.is_genuine(WorkspaceUid("w"), channel, Callback(b"{}"))
    assert kind.answer_challenge(WorkspaceUid("w"), channel, {"hub.mode": "subscribe"}) is None
