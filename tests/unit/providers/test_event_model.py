"""Events of any shape are read without an exception: a value of the wrong type reads as missing."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Annotated, Any

import pytest
from pydantic import Field

from chalicelib.model.delivery_report import DeliveryReport, ProviderCallback
from chalicelib.providers.event_model import LENIENT, LENIENT_LIST, Flag, ProviderEvent, Text, Texts, get_first
from chalicelib.providers.registry import ChannelTypes, ProviderClients
from tests.unit.providers.messages import KnownSecrets, build_client

TYPES = ChannelTypes(
    ProviderClients(
        ses=build_client("sesv2"),
        messaging=build_client("pinpoint-sms-voice-v2"),
        social=build_client("socialmessaging"),
        sns=build_client("sns"),
        secrets=KnownSecrets(),
    )
)
MAIL = {"timestamp": "2016-10-14T05:02:16.645Z", "messageId": "m", "destination": ["a@example.com"]}
MAIL_OF_MESSAGE = {**MAIL, "tags": {"message": ["w.f.c.n.1"]}}
VALUE = {
    "statuses": [{"id": "1", "status": "failed", "timestamp": "1", "recipient_id": "49", "errors": [{"code": 131050}]}],
    "messages": [
        {
            "from": "49",
            "timestamp": "1",
            "context": {"id": "1"},
            "text": {"body": "Stop"},
            "button": {"text": "More"},
            "interactive": {"button_reply": {"title": "Yes"}, "list_reply": {"title": "No"}},
        }
    ],
    "user_preferences": [{"wa_id": "49", "category": "marketing_messages", "value": "stop", "timestamp": "1"}],
}
ENTRY = {"id": "1", "changes": [{"value": VALUE}]}
#: One event of each shape that a provider documents.
EVENTS: Mapping[str, Mapping[str, object]] = {
    "bounce": {
        "eventType": "Bounce",
        "mail": MAIL_OF_MESSAGE,
        "bounce": {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "a@example.com"}]},
    },
    "complaint": {
        "eventType": "Complaint",
        "mail": MAIL_OF_MESSAGE,
        "complaint": {"complainedRecipients": [{"emailAddress": "a@example.com"}], "complaintFeedbackType": "abuse"},
    },
    "subscription": {
        "eventType": "Subscription",
        "mail": MAIL_OF_MESSAGE,
        "subscription": {"newTopicPreferences": {"unsubscribeAll": True}},
    },
    "sms status": {
        "eventType": "TEXT_INVALID",
        "eventTimestamp": 1686975103470,
        "isFinal": True,
        "messageId": "m",
        "context": {"message": "w.f.c.n.1"},
        "destinationPhoneNumber": "+14255550156",
        "totalMessagePrice": 0.09582,
        "totalCarrierFee": 0.00302,
    },
    "sms reply": {
        "originationNumber": "+14255550182",
        "messageBody": "STOP",
        "inboundMessageId": "i",
        "previousPublishedMessageId": "m",
    },
    "push": {
        "EventType": "DeliveryFailure",
        "EndpointArn": "arn:aws:sns:eu-west-1:123456789012:endpoint/GCM/shop/a",
        "FailureType": "InvalidPlatformToken",
        "MessageId": "m",
        "Time": "2026-11-02T09:00:00.000Z",
    },
    "whatsapp by meta": {"object": "whatsapp_business_account", "entry": [ENTRY]},
    "whatsapp by aws": {"whatsAppWebhookEntry": json.dumps(ENTRY)},
}
HOSTILE: list[object] = [
    *(None, True, 0, -1, 10**30, 1.5, 1e300, "", "x", "\u0000", "\ud800", "9" * 5_000, "0001-01-01T00:00+23:00"),
    *([], {}, [[]], [None], [{}], [{"code": []}, 7], {"message": {}}, {"a": {"b": {"c": None}}}, ["x", None, {}]),
]


def read_all(event: object) -> tuple[DeliveryReport, ...]:
    bodies = json.dumps(event), json.dumps({"Type": "Notification", "Message": json.dumps(event)})
    return tuple(
        report
        for body in bodies
        for kind in TYPES.values()
        for report in kind.read_events(ProviderCallback(body.encode()))
    )


def find_paths(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from find_paths(value[key], (*path, key))


def change(event: Mapping[str, object], path: tuple[str | int, ...], value: object) -> object:
    """Return the event with another value at a path."""
    changed: Any = {"root": deepcopy(event)}
    place = changed
    for key in ("root", *path)[:-1]:
        place = place[key]
    place[("root", *path)[-1]] = value
    return changed["root"]


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_no_value_at_any_place_of_an_event_raises(event: Mapping[str, object]) -> None:
    assert read_all(event)
    for path in find_paths(event):
        for value in HOSTILE:
            for report in read_all(change(event, path, value)):
                for text in filter(None, (report.provider_id, report.code, report.address, report.reply)):
                    assert text.encode(), "a store can only write valid Unicode"


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_an_event_may_lack_any_of_its_fields(event: Mapping[str, object]) -> None:
    for name in event:
        read_all({key: value for key, value in event.items() if key != name})


def test_an_opt_out_counts_although_the_rest_of_its_event_is_odd() -> None:
    odd_reply = {**EVENTS["sms reply"], "inboundMessageId": None, "previousPublishedMessageId": [7]}
    odd_complaint = {**EVENTS["complaint"], "mail": None}
    assert [report.address for report in (*read_all(odd_reply), *read_all(odd_complaint)) if report.suppress] == [
        "+14255550182",
        "+14255550182",
        "a@example.com",
        "a@example.com",
    ]


class Part(ProviderEvent):
    name: Text = ""


class Whole(ProviderEvent):
    text: Text = ""
    texts: Texts = ()
    flag: Flag = None
    part: Annotated[Part, LENIENT] = Field(default_factory=Part)
    parts: Annotated[tuple[Part, ...], LENIENT_LIST] = ()


def test_a_value_of_the_wrong_type_reads_as_missing() -> None:
    for value in ({}, [], None, 1.5):
        assert Whole.read({"text": value, "texts": {}, "flag": "true", "part": [value], "parts": {"a": 1}}) == Whole()
    for body in (None, [], "text", 7):
        assert Whole.read(body) == Whole()


def test_good_values_beside_bad_ones_are_read() -> None:
    whole = Whole.read(
        {"text": 7, "texts": ["a", None, 1], "flag": False, "parts": [None, {"name": "x"}, "y"], "new": 1}
    )
    assert (whole.text, whole.texts, whole.flag) == ("7", ("a", "", "1"), False)
    assert [part.name for part in whole.parts] == ["x"]
    assert (get_first(whole.texts), get_first(())) == ("a", "")


def test_half_of_a_surrogate_pair_becomes_a_question_mark() -> None:
    assert Whole.read({"text": "Hi \ud83d"}).text == "Hi ?"
    assert Whole.read({"text": "Hi 👋"}).text == "Hi 👋"
