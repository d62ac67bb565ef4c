"""Push by SNS: one notification a device, never to a topic, and devices that are gone are told of."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from pydantic import JsonValue, ValidationError

from chalicelib.model.contact import Contact
from chalicelib.model.delivery_report import DeliveryReport, ProviderCallback, SuppressionSignal
from chalicelib.model.execution import Engagement
from chalicelib.model.message import (
    Accepted,
    ChannelFailure,
    OutcomeUnknown,
    OutgoingMessage,
    PermanentFailure,
    RecipientSuppressed,
    SendResult,
    Throttled,
)
from chalicelib.providers.push import Push, PushContent, PushSettings, build_request, read_error
from tests.unit.providers.messages import NOW, build_client, find_problems, make_message, refusal

CLIENT = build_client("sns")
APP = "arn:aws:sns:eu-west-1:123456789012:app/GCM/shop"
SETTINGS: dict[str, JsonValue] = {"applications": [APP]}
PHONE, TABLET = (f"arn:aws:sns:eu-west-1:123456789012:endpoint/GCM/shop/{n}1111111-2222-3333" for n in "ab")
FOREIGN = "arn:aws:sns:eu-west-1:123456789012:endpoint/GCM/shopping/a1111111"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:carillon-Alarms"
CONTENT = {"title": "Hello", "text": "Grüße"}


def pushed(to: str) -> OutgoingMessage:
    return make_message("push", SETTINGS, CONTENT, to=to)


class ScriptedSns:
    """Answers for each endpoint as it is told, and keeps what was asked."""

    def __init__(self, answers: dict[str, Callable[[], dict[str, object]]]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    def publish(self, **request: object) -> dict[str, object]:
        self.asked.append(str(request["TargetArn"]))
        return self._answers[self.asked[-1]]()


def taken(uid: str) -> Callable[[], dict[str, object]]:
    return lambda: {"MessageId": uid}


def refused(code: str, status: int = 400, message: str = "") -> Callable[[], dict[str, object]]:
    def answer() -> dict[str, object]:
        raise refusal("Publish", code, status, message)

    return answer


class TestRequest:
    def test_it_is_valid_by_amazons_own_model_and_each_service_has_its_payload(self) -> None:
        made = build_request(pushed(PHONE), PHONE)
        assert find_problems("sns", "Publish", made) == ""
        assert (made["TargetArn"], made["MessageStructure"]) == (PHONE, "json")
        payloads = json.loads(str(made["Message"]))
        alert = {"title": "Hello", "body": "Grüße"}
        assert payloads["default"] == "Grüße"
        assert json.loads(payloads["APNS"]) == {"aps": {"alert": alert}, "message": "w.f.c.n.1"}
        assert json.loads(payloads["APNS_SANDBOX"]) == json.loads(payloads["APNS"])
        assert json.loads(payloads["GCM"]) == {
            "fcmV1Message": {"message": {"notification": alert, "data": {"message": "w.f.c.n.1"}}}
        }

    def test_a_text_alone_has_no_title(self) -> None:
        made = build_request(make_message("push", SETTINGS, {"text": "x"}), PHONE)
        assert json.loads(json.loads(str(made["Message"]))["APNS"])["aps"] == {"alert": {"body": "x"}}


class TestSending:
    def test_an_accepted_message_has_amazons_id(self) -> None:
        with Stubber(CLIENT) as stub:
            stub.add_response("publish", {"MessageId": "m-1"}, build_request(pushed(PHONE), PHONE))
            assert Push(CLIENT).send(pushed(PHONE)) == Accepted("m-1")

    @pytest.mark.parametrize(
        ("phone", "tablet", "verdict"),
        [
            (taken("1"), taken("2"), Accepted("1,2")),
            (refused("EndpointDisabled"), taken("2"), Accepted("2")),
            (taken("1"), refused("EndpointDisabled"), Accepted("1")),
            (taken("1"), refused("InternalError", 500), Accepted("1")),
            (refused("EndpointDisabled"), refused("NotFound", 404), RecipientSuppressed("NotFound")),
            (refused("EndpointDisabled"), refused("InvalidParameter"), PermanentFailure("InvalidParameter")),
            (refused("EndpointDisabled"), refused("InternalError", 500), OutcomeUnknown("InternalError")),
        ],
    )
    def test_of_several_devices_one_is_enough(
        self,
        phone: Callable[[], dict[str, object]],
        tablet: Callable[[], dict[str, object]],
        verdict: SendResult,
    ) -> None:
        sns = ScriptedSns({PHONE: phone, TABLET: tablet})
        assert Push(sns).send(pushed(f"{PHONE} {TABLET}")) == verdict
        assert sns.asked == [PHONE, TABLET]

    def test_after_a_throttle_no_further_device_is_begun(self) -> None:
        sns = ScriptedSns({PHONE: refused("Throttled", 429)})
        assert Push(sns).send(pushed(f"{PHONE} {TABLET}")) == Throttled(timedelta(seconds=1))

    def test_only_endpoints_of_the_channels_apps_are_written_to(self) -> None:
        sns = ScriptedSns({PHONE: taken("1")})
        assert Push(sns).send(pushed(f"{TOPIC} {FOREIGN} {PHONE} token")) == Accepted("1")
        assert Push(sns).send(pushed(f"{TOPIC} {FOREIGN}")) == PermanentFailure("no_endpoint")
        assert sns.asked == [PHONE]

    def test_a_contact_is_reached_at_its_endpoints_only(self) -> None:
        contact = Contact(uid="c", created_at=NOW, updated_at=NOW, push_tokens=(TOPIC, "raw-token", f"{PHONE} {TOPIC}"))
        assert Push(CLIENT).address_of(contact) is None
        found = Push(CLIENT).address_of(contact.with_fields({"push_tokens": (PHONE, TOPIC, TABLET)}))
        assert found == f"{PHONE} {TABLET}"


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (refusal("Publish", "EndpointDisabled"), RecipientSuppressed("EndpointDisabled")),
        (refusal("Publish", "EndpointDisabledException"), RecipientSuppressed("EndpointDisabled")),
        (refusal("Publish", "NotFound", 404), RecipientSuppressed("NotFound")),
        (
            refusal("Publish", "InvalidParameter", 400, "TargetArn Reason: No endpoint found for the target arn"),
            RecipientSuppressed("NotFound"),
        ),
        (refusal("Publish", "InvalidParameter", 400, "Message too long"), PermanentFailure("InvalidParameter")),
        (refusal("Publish", "PlatformApplicationDisabled"), ChannelFailure("PlatformApplicationDisabled")),
        (refusal("Publish", "AuthorizationError", 403), ChannelFailure("AuthorizationError")),
        (refusal("Publish", "KMSDisabled"), ChannelFailure("KMSDisabled")),
        (refusal("Publish", "Throttled", 429), Throttled(timedelta(seconds=1))),
        (refusal("Publish", "InternalError", 500), OutcomeUnknown("InternalError")),
    ],
    ids=str,
)
def test_every_refusal_has_its_verdict(error: ClientError, verdict: SendResult) -> None:
    assert read_error(error) == verdict


def test_a_delivery_that_failed_for_good_names_the_device() -> None:
    event = {
        "DeliveryAttempts": 1,
        "EndpointArn": PHONE,
        "EventType": "DeliveryFailure",
        "FailureMessage": "Platform token associated with the endpoint is not valid",
        "FailureType": "InvalidPlatformToken",
        "MessageId": "m-1",
        "Resource": APP,
        "Service": "SNS",
        "Time": "2026-11-02T09:00:00.000Z",
    }
    by_sns = {"Type": "Notification", "Message": json.dumps(event)}
    assert Push(CLIENT).read_events(ProviderCallback(json.dumps(by_sns).encode())) == (
        DeliveryReport(
            engagement=Engagement.BOUNCED,
            at=datetime(2026, 11, 2, 9, tzinfo=UTC),
            provider_id="m-1",
            code="InvalidPlatformToken",
            suppress=SuppressionSignal.ENDPOINT_GONE,
            address=PHONE,
        ),
    )
    assert (
        Push(CLIENT).read_events(ProviderCallback(json.dumps({**event, "EventType": "EndpointCreated"}).encode())) == ()
    )


@pytest.mark.parametrize("applications", [[], [PHONE], [TOPIC], ["shop"], [APP] * 11])
def test_bad_settings_are_refused(applications: list[str]) -> None:
    with pytest.raises(ValidationError):
        PushSettings.model_validate_json(json.dumps({"applications": applications}))


def test_content_needs_a_text() -> None:
    with pytest.raises(ValidationError):
        PushContent.model_validate({"title": "x"})
