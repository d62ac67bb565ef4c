"""Local providers with our channel types: messages that are sent, refused or lost, and later reports."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from chalicelib.model.delivery_report import DeliveryReport, ProviderCallback, SuppressionSignal
from chalicelib.model.execution import Engagement
from chalicelib.model.ids import ContactUid, FlowUid, MessageUid, NodeId, WorkspaceUid
from chalicelib.model.message import (
    Accepted,
    ChannelFailure,
    OutcomeUnknown,
    OutgoingMessage,
    RecipientSuppressed,
    SendResult,
    Throttled,
)
from chalicelib.providers.http import Http
from chalicelib.providers.registry import ChannelTypes, ProviderClients
from infra.local.mail import build_eml, write_eml
from infra.local.providers import credentials
from infra.local.providers.hooks import Hooks
from infra.local.providers.inbox import ProviderInbox, ProviderRequest
from infra.local.providers.report_scheduler import ReportScheduler
from infra.local.providers.reports import Event, Post
from infra.local.providers.server import META_HOOKS, Server, build_responder
from tests.scripted_server import answer, closed_port, open_wire
from tests.unit.providers.messages import KnownSecrets, build_client, make_message

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
W = WorkspaceUid("w")
TEXT = {"text": "Grüße"}
NUMBER = "106540352242922"
SETTINGS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "sms by aws": ("sms", {"provider": "aws", "originationIdentity": "+12065550199", "configurationSet": "events"}),
    "sms by twilio": (
        "sms",
        {"provider": "twilio", "accountSid": "AC" + "0" * 32, "secretName": "twilio", "sender": "+12065550199"},
    ),
    "whatsapp by aws": ("whatsapp", {"provider": "aws", "phoneNumberId": "phone-number-id-1"}),
    "whatsapp by meta": ("whatsapp", {"provider": "meta", "phoneNumberId": NUMBER, "secretName": "meta"}),
    "rcs": ("rcs", {"provider": "aws", "originationIdentity": "agent-1", "configurationSet": "events"}),
}
SECRETS = KnownSecrets(
    twilio=json.dumps(credentials.TWILIO), meta=json.dumps(credentials.META), hook=credentials.WEBHOOK
)


@dataclass
class Scene:
    """The server of the local providers, their report scheduler, and the channel types that call them."""

    folder: Path
    url: str
    hooks: Hooks
    now: datetime = START
    reported: list[Event | Post] = field(default_factory=list)
    #: Whether the receiver accepts the reports.
    listens: bool = True

    def __post_init__(self) -> None:
        edges = ProviderClients(
            ses=build_client("sesv2"),
            messaging=build_client("pinpoint-sms-voice-v2", self.url),
            social=build_client("socialmessaging", self.url),
            sns=build_client("sns", self.url),
            secrets=SECRETS,
            http=Http(read_seconds=2),
            public_url="https://carillon.example",
            twilio_url=self.url,
            meta_url=self.url,
            webhook_allowed=frozenset({self.url.removeprefix("http://")}),
        )
        self.kinds = ChannelTypes(edges)
        self.scheduler = self.new_scheduler()

    def new_scheduler(self) -> ReportScheduler:
        outbox, position = self.folder / "outbox", self.folder / "providers.json"
        return ReportScheduler(outbox, position, lambda: self.now, self.hear, self.hear)

    def hear(self, report: Event | Post) -> bool:
        self.reported.append(report)
        return self.listens

    def message(self, name: str, digits: str, contact: str = "c") -> OutgoingMessage:
        kind, settings = SETTINGS[name]
        uid = MessageUid(W, FlowUid("f"), ContactUid(contact), NodeId("n"))
        return make_message(kind, settings, TEXT, to=f"+1206555{digits}", uid=uid)

    def send(self, name: str, digits: str, contact: str = "c") -> SendResult:
        sent = self.message(name, digits, contact)
        return self.kinds[sent.channel.type].send(sent)

    def kept(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted((self.folder / "outbox").glob("*.json"))]

    def reports(self, name: str = "") -> list[DeliveryReport]:
        """Return the reports of the next minute as the channels parse them, and whether they are signed."""
        self.now += timedelta(minutes=1)
        self.scheduler.send_due()
        found = []
        for each in self.reported:
            if isinstance(each, Post):
                headers = {key.lower(): value for key, value in each.headers.items()}
                callback = ProviderCallback(each.body, each.url, headers)
                channel = self.message(name, "0000").channel
                assert self.kinds[channel.type].is_genuine(W, channel, callback)
            else:
                envelope = {"Type": "Notification", "Message": json.dumps(each.content)}
                callback = ProviderCallback(json.dumps(envelope).encode())
            found += [report for kind in self.kinds.values() for report in kind.read_events(callback)]
        return found


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    (tmp_path / "outbox").mkdir()
    listener = socket.create_server(("127.0.0.1", 0))
    hooks = Hooks(tmp_path / "hooks.json")
    hooks.known[NUMBER] = "https://carillon.example/v1/hooks/w.ch"
    server = Server(listener, build_responder(ProviderInbox(tmp_path / "outbox", lambda: START), hooks))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    found = Scene(tmp_path, f"http://127.0.0.1:{listener.getsockname()[1]}", hooks)
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture(params=list(SETTINGS))
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


class TestSending:
    def test_an_accepted_message_is_in_the_outbox(self, scene: Scene, name: str) -> None:
        verdict = scene.send(name, "0199")
        (kept,) = scene.kept()
        assert verdict == Accepted(kept["provider_id"])
        assert (kept["to"], kept["text"], kept["message_uid"]) == ("+12065550199", "Grüße", "w.f.c.n.1")
        assert kept["channel"] == SETTINGS[name][0]

    def test_a_throttled_message_is_accepted_at_the_third_attempt(self, scene: Scene, name: str) -> None:
        verdicts = [scene.send(name, "0107") for _ in range(3)]
        assert [type(each) for each in verdicts] == [Throttled, Throttled, Accepted]
        assert len(scene.kept()) == 1

    def test_a_lost_response_is_unknown_and_the_message_is_accepted(self, scene: Scene, name: str) -> None:
        assert isinstance(scene.send(name, "0108"), OutcomeUnknown)
        assert len(scene.kept()) == 1

    def test_a_broken_provider_accepts_nothing_and_the_result_is_unknown(self, scene: Scene, name: str) -> None:
        assert isinstance(scene.send(name, "0109"), OutcomeUnknown)
        assert scene.kept() == []

    def test_a_closed_account_is_the_channels_fault(self, scene: Scene, name: str) -> None:
        assert isinstance(scene.send(name, "0110"), ChannelFailure)
        assert scene.kept() == []

    def test_an_opted_out_recipient_is_suppressed_or_reported_later(self, scene: Scene, name: str) -> None:
        wanted = Accepted if name == "whatsapp by aws" else RecipientSuppressed
        assert isinstance(scene.send(name, "0106"), wanted)


class TestReports:
    @pytest.mark.parametrize(
        ("digits", "last"),
        [
            ("0199", Engagement.DELIVERED),
            ("0104", (Engagement.BOUNCED, Engagement.FAILED)),
            ("0102", Engagement.REPLIED),
        ],
    )
    def test_reports_contain_the_message_uid(
        self, scene: Scene, name: str, digits: str, last: Engagement | tuple[Engagement, ...]
    ) -> None:
        verdict = scene.send(name, digits)
        assert isinstance(verdict, Accepted)
        first, *others = scene.reports(name)
        assert (first.engagement, str(first.message)) == (Engagement.SENT, "w.f.c.n.1")
        assert first.provider_id == verdict.provider_id
        assert others[-1].engagement in (last if isinstance(last, tuple) else (last,))
        assert others[-1].address == f"+1206555{digits}"

    def test_stop_suppresses(self, scene: Scene, name: str) -> None:
        scene.send(name, "0103")
        last = scene.reports(name)[-1]
        assert (last.suppress, last.reply) == (SuppressionSignal.OPTED_OUT, "STOP")

    def test_a_failure_that_may_pass_is_soft(self, scene: Scene, name: str) -> None:
        scene.send(name, "0105")
        last = scene.reports(name)[-1]
        assert (last.is_soft, last.suppress) == (True, None)
        assert last.code

    def test_of_some_messages_nothing_is_ever_heard(self, scene: Scene, name: str) -> None:
        scene.send(name, "0111")
        assert scene.reports(name) == []

    def test_rcs_falls_back_only_when_it_is_asked_to(self, scene: Scene) -> None:
        sent = scene.message("rcs", "0104")
        settings = {**SETTINGS["rcs"][1], "fallback": "provider"}
        scene.kinds["rcs"].send(make_message("rcs", settings, TEXT, to=sent.to))
        found = scene.reports()
        assert [(each.engagement, each.delivered_by) for each in found] == [
            (Engagement.SENT, None),
            (Engagement.SENT, "sms"),
            (Engagement.DELIVERED, None),
        ]

    @pytest.mark.parametrize("name", ["sms by aws", "rcs"])
    def test_without_a_configuration_set_amazon_reports_nothing(self, scene: Scene, name: str) -> None:
        kind, settings = SETTINGS[name]
        bare = {key: value for key, value in settings.items() if key != "configurationSet"}
        assert isinstance(scene.kinds[kind].send(make_message(kind, bare, TEXT, to="+12065550199")), Accepted)
        assert scene.reports() == []


class TestReportScheduler:
    def test_a_report_is_sent_once_and_not_before_it_is_due(self, scene: Scene) -> None:
        scene.send("sms by aws", "0101")
        scene.scheduler.send_due()
        assert scene.reported == []
        scene.now = START + timedelta(seconds=0.5)
        scene.scheduler.send_due()
        assert len(scene.reported) == 1
        scene.now = START + timedelta(hours=1)
        for _ in range(3):
            scene.scheduler.send_due()
        assert len(scene.reported) == 2
        assert (len(scene.scheduler.due), len(scene.scheduler.messages), len(scene.scheduler.open_steps)) == (0, 0, 0)

    def test_after_a_crash_only_open_reports_are_sent(self, scene: Scene) -> None:
        scene.send("sms by aws", "0199", "first")
        scene.now = START + timedelta(seconds=30)
        scene.scheduler.send_due()
        scene.reported.clear()
        scene.scheduler = scene.new_scheduler()
        scene.scheduler.send_due()
        assert scene.reported == []
        scene.send("sms by aws", "0199", "second")
        crashed = scene.new_scheduler()
        scene.now = START
        crashed.send_due()
        scene.now = START + timedelta(seconds=30)
        scene.scheduler = scene.new_scheduler()
        scene.scheduler.send_due()
        found = [each.content["context"] for each in scene.reported if isinstance(each, Event)]
        assert {"message": "w.f.second.n.1"} in found

    def test_a_failed_report_is_retried_a_limited_number_of_times(self, scene: Scene) -> None:
        scene.send("sms by aws", "0199")
        scene.listens = False
        for second in range(0, 120, 5):
            scene.now = START + timedelta(seconds=second + 1)
            scene.scheduler.send_due()
        assert len(scene.reported) == 10
        assert scene.scheduler.due == []


class TestMails:
    def send(self, scene: Scene, to: str, configuration_set: str | None = "events") -> None:
        request = {
            "FromEmailAddress": "Carillon <news@example.com>",
            "Destination": {"ToAddresses": [to]},
            "EmailTags": [{"Name": "message", "Value": "w.f.c.n.1"}],
            "Content": {"Simple": {"Subject": {"Data": "Hi"}, "Body": {"Text": {"Data": "Hi"}}}},
            **({"ConfigurationSetName": configuration_set} if configuration_set else {}),
        }
        write_eml(scene.folder / "outbox", "ses-1", START, build_eml(request, "ses-1", START))

    @pytest.mark.parametrize(
        ("to", "engagements", "suppress"),
        [
            ("ana@example.com", [Engagement.SENT, Engagement.DELIVERED], None),
            ("bounce@example.com", [Engagement.SENT, Engagement.BOUNCED], SuppressionSignal.HARD_BOUNCE),
            ("Bounce+7@example.com", [Engagement.SENT, Engagement.BOUNCED], SuppressionSignal.HARD_BOUNCE),
            ("suppressionlist@example.com", [Engagement.SENT, Engagement.BOUNCED], SuppressionSignal.HARD_BOUNCE),
            ("softbounce@example.com", [Engagement.SENT, Engagement.BOUNCED], None),
            (
                "complaint@example.com",
                [Engagement.SENT, Engagement.DELIVERED, Engagement.DELIVERED],
                SuppressionSignal.COMPLAINT,
            ),
            ("open-1@example.com", [Engagement.SENT, Engagement.DELIVERED, Engagement.OPENED], None),
            (
                "click@example.com",
                [Engagement.SENT, Engagement.DELIVERED, Engagement.OPENED, Engagement.CLICKED],
                None,
            ),
            ("silent@example.com", [], None),
            ("opener@example.com", [Engagement.SENT, Engagement.DELIVERED], None),
        ],
    )
    def test_ses_reports_the_scripted_outcome_of_the_address(
        self, scene: Scene, to: str, engagements: list[Engagement], suppress: SuppressionSignal | None
    ) -> None:
        self.send(scene, to)
        found = scene.reports()
        assert [each.engagement for each in found] == engagements
        assert {str(each.message) for each in found} <= {"w.f.c.n.1"}
        assert {each.provider_id for each in found} <= {"ses-1"}
        assert (found[-1].suppress if found else None) is suppress

    def test_without_a_configuration_set_ses_tells_nothing(self, scene: Scene) -> None:
        self.send(scene, "bounce@example.com", None)
        assert scene.reports() == []


class TestWebhooks:
    def send(self, scene: Scene, outcome: str, secret: str = "hook") -> SendResult:
        settings = {"url": f"{scene.url}/webhook?fate={outcome}", "secretName": secret}
        return scene.kinds["webhook"].send(make_message("webhook", settings, TEXT))

    def test_a_message_that_comes_twice_is_kept_once(self, scene: Scene) -> None:
        verdicts = [self.send(scene, "lost"), self.send(scene, "lost"), self.send(scene, "delivered")]
        assert [type(each) for each in verdicts] == [OutcomeUnknown, Accepted, Accepted]
        assert [each["message_uid"] for each in scene.kept()] == ["w.f.c.n.1"]

    def test_also_after_the_receiver_was_started_again(self, scene: Scene) -> None:
        self.send(scene, "delivered")
        assert ProviderInbox(scene.folder / "outbox", lambda: START).message_ids == {"w.f.c.n.1"}

    def test_other_outcomes(self, scene: Scene) -> None:
        assert [type(self.send(scene, "throttle")) for _ in range(3)] == [Throttled, Throttled, Accepted]
        assert isinstance(self.send(scene, "broken"), OutcomeUnknown)
        assert self.send(scene, "closed") == ChannelFailure("status_410")


class TestPush:
    APP = "arn:aws:sns:eu-west-1:000000000000:app/GCM/shop"

    def send(self, scene: Scene, digits: str) -> SendResult:
        endpoint = f"{self.APP.replace(':app/', ':endpoint/')}/device-{digits}"
        content = {"title": "Hi", "text": "there"}
        return scene.kinds["push"].send(make_message("push", {"applications": [self.APP]}, content, to=endpoint))

    def test_every_outcome_has_its_send_result(self, scene: Scene) -> None:
        assert isinstance(self.send(scene, "0199"), Accepted)
        assert self.send(scene, "0106") == RecipientSuppressed("EndpointDisabled")
        assert self.send(scene, "0110") == ChannelFailure("PlatformApplicationDisabled")
        assert isinstance(self.send(scene, "0109"), OutcomeUnknown)
        assert [type(self.send(scene, "0107")) for _ in range(3)] == [Throttled, Throttled, Accepted]
        assert isinstance(self.send(scene, "0108"), OutcomeUnknown)
        assert [each["message_uid"] for each in scene.kept()] == ["w.f.c.n.1"] * 3

    def test_a_missing_device_is_reported(self, scene: Scene) -> None:
        verdict = self.send(scene, "0104")
        assert isinstance(verdict, Accepted)
        (report,) = scene.reports()
        assert (report.suppress, report.provider_id) == (SuppressionSignal.ENDPOINT_GONE, verdict.provider_id)


class TestMetasHooks:
    def register(self, scene: Scene, url: str) -> int | None:
        body = json.dumps({"phoneNumberId": "12345", "callbackUrl": url}).encode()
        respond = build_responder(ProviderInbox(scene.folder / "outbox", lambda: START), scene.hooks)
        return respond(ProviderRequest("POST", META_HOOKS, {}, {}, body)).status

    def test_a_url_that_answers_the_challenge_as_we_do_is_kept(self, scene: Scene) -> None:
        channel, kind = scene.message("whatsapp by meta", "0199").channel, scene.kinds["whatsapp"]

        class Route(BaseHTTPRequestHandler):
            """Answer Meta's challenge as Carillon does."""

            def do_GET(self) -> None:
                response = kind.answer_challenge(W, channel, dict(parse_qsl(urlsplit(self.path).query)))
                self.send_response(200 if response else 403)
                self.end_headers()
                self.wfile.write((response or "").encode())

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        with HTTPServer(("127.0.0.1", 0), Route) as server:
            threading.Thread(target=server.handle_request, daemon=True).start()
            url = f"http://127.0.0.1:{server.server_port}/v1/hooks/w.ch"
            assert self.register(scene, url) == 200
        assert Hooks(scene.folder / "hooks.json").known["12345"] == url

    def test_any_other_is_refused(self, scene: Scene) -> None:
        with open_wire(answer(200, b"wrong")) as wire:
            assert self.register(scene, wire.url) == 400
        assert self.register(scene, f"http://127.0.0.1:{closed_port()}") == 400
        assert self.register(scene, "file:///etc/hostname") == 400
        assert "12345" not in Hooks(scene.folder / "hooks.json").known
