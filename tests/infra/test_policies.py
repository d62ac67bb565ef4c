"""IAM policies: every wildcard has a reason, and policies allow exactly the calls of the code."""

import ast
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from app import app
from chalicelib.model.message import RecipientSuppressed
from infra.local.resources import load_template, physical_name
from infra.packaging.config import ROOT, read_config, read_functions
from tests.integration.conftest import WORKERS, api, embedded_aws, world
from tests.integration.consent_helpers import consent, path_of, submit, swap_ports, unsubscribe_path
from tests.integration.harness import Story, story
from tests.integration.receipts.test_process_reports import hook, post, reply, sent
from tests.integration.reporting_channel import reporting, send_report

__all__ = ["api", "embedded_aws", "hook", "reporting", "story", "world"]

FOLDER = ROOT / ".chalice"
NAMES = ["api_handler", *(source.name for source in app.event_sources)]
#: Allowed wildcards and why no name can replace them.
STARS = {
    "${FilesBucket.Arn}/*": "the objects of our own bucket; S3 names objects only by a pattern",
    "*": "ses:GetAccount knows no resource: the sending quota is the account's",
    "sms-voice:phone-number/*": "channels name their numbers at run time",
    "sms-voice:pool/*": "the same",
    "sms-voice:sender-id/*": "the same",
    "sms-voice:configuration-set/*": "the same",
    "social-messaging:phone-number-id/*": "the same",
    "sns:endpoint/*": "each contact's device is an endpoint; topics, ours for alarms among them, are not meant",
    "secretsmanager:secret:${AWS::StackName}/*": "channels name their secrets at run time; this folder has no others",
    "ssm:parameter/${AWS::StackName}/*": "the same",
}
#: Parameters with a wildcard default, because channels are created at run time.
OPEN_PARAMETERS = {"EmailIdentity", "EmailConfigurationSet"}
#: botocore's method → the actions that IAM checks, where that is not the method's own name.
ACTIONS = {
    "transact_write_items": {"PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"},
    "batch_execute_statement": {"PartiQLInsert", "PartiQLUpdate", "PartiQLDelete", "PartiQLSelect"},
    "send_message_batch": {"SendMessage"},
    "head_object": {"GetObject"},
    "generate_presigned_url": {"GetObject", "PutObject"},
    **{method: {"PutObject"} for method in ("create_multipart_upload", "upload_part", "complete_multipart_upload")},
    "send_whatsapp_message": {"SendWhatsAppMessage"},
}
#: Calls of the platform with the function's role: the event source mapping and logs. S3 needs ListBucket to report a
#: missing file as missing.
PLATFORM = {"ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "CreateLogStream", "PutLogEvents", "ListBucket"}


def _statements(name: str) -> list[dict[str, Any]]:
    functions = read_functions(read_config(), "prod", NAMES, FOLDER)
    found: list[dict[str, Any]] = json.loads((FOLDER / functions[name].policy_file).read_text())["Statement"]
    return found


def _text(resource: Any) -> str:
    """`CatalogTable.Arn`, the text of a Sub, or a plain one."""
    if isinstance(resource, str):
        return resource
    if "Fn::GetAtt" in resource:
        return ".".join(resource["Fn::GetAtt"])
    return (
        str(resource["Fn::Sub"]).replace("arn:${AWS::Partition}:", "").replace(":${AWS::Region}:${AWS::AccountId}", "")
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_names_actions_and_resources_without_a_star(name: str) -> None:
    for statement in _statements(name):
        assert statement["Effect"] == "Allow"
        assert statement.keys() == {"Sid", "Effect", "Action", "Resource"}
        assert not [action for action in statement["Action"] if "*" in action], statement["Sid"]
        for resource in map(_text, statement["Resource"]):
            assert "*" not in resource or resource in STARS, f"{name}: say in STARS why {resource} needs its star"


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_speaks_of_resources_of_the_template(name: str) -> None:
    template = load_template()
    known = {*template["Resources"], *template["Parameters"]}
    services = ("ses:identity/${EmailIdentity}", "ses:configuration-set/${EmailConfigurationSet}")
    for statement in _statements(name):
        for resource in map(_text, statement["Resource"]):
            first = resource.removeprefix("${").partition(".")[0]
            assert first in known or resource in STARS or resource in services, f"{name}: {resource}"


def test_a_parameter_that_opens_a_policy_says_so() -> None:
    template = load_template()
    stars = {name for name, each in template["Parameters"].items() if each.get("Default") == "*"}
    assert stars == OPEN_PARAMETERS
    assert all("* allows every" in template["Parameters"][name]["Description"] for name in stars)


@pytest.mark.parametrize("name", NAMES)
def test_a_worker_may_read_its_own_queue_and_no_other(name: str) -> None:
    sources = {source.name: str(getattr(source, "queue", "")) for source in app.event_sources}
    own = {sources[name].removeprefix("${").partition(".")[0]} if sources.get(name) else set()
    readable = {
        _text(resource).partition(".")[0]
        for statement in _statements(name)
        if "sqs:ReceiveMessage" in statement["Action"]
        for resource in statement["Resource"]
    }
    assert readable == own


def test_no_worker_can_delete_tables_scan_them_or_read_the_first_key() -> None:
    for name in NAMES:
        actions = {action for statement in _statements(name) for action in statement["Action"]}
        assert not actions & {"dynamodb:Scan", "dynamodb:DeleteTable", "dynamodb:UpdateTable", "iam:PassRole"}, name
        assert "FirstKey" not in json.dumps(_statements(name)), name


# ---- the code and the policies, read side by side ----


@cache
def _calls() -> dict[str, str]:
    """Methods of clients that the shipped code calls → a place where."""
    found: dict[str, str] = {}
    for folder in ("aws", "providers"):
        for path in sorted((ROOT / "chalicelib" / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Call(func=ast.Attribute(value=value, attr=method)) if _is_client(value):
                        found.setdefault(method, f"{path.relative_to(ROOT)}:{node.lineno}")
    return found


def _is_client(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name.strip("_").endswith("client") or name in {"_secrets", "_parameters"}


def _actions_of(method: str) -> set[str]:
    return ACTIONS.get(method) or {"".join(part.capitalize() for part in method.split("_"))}


def _allowed() -> dict[str, set[str]]:
    """Action without its service → functions that may do it."""
    found: dict[str, set[str]] = {}
    for name in NAMES:
        for action in {action for statement in _statements(name) for action in statement["Action"]}:
            found.setdefault(action.partition(":")[2], set()).add(name)
    return found


def test_some_policy_allows_each_call_that_the_code_makes() -> None:
    calls = _calls()
    assert {"get_item", "send_email", "batch_execute_statement"} <= calls.keys(), "the calls are no longer found"
    allowed = _allowed()
    for method, place in calls.items():
        assert _actions_of(method) & allowed.keys(), (
            f"{place} calls {method}, but no .chalice/policy-*.json allows {' or '.join(sorted(_actions_of(method)))}"
        )


def test_no_policy_allows_what_no_code_calls() -> None:
    called = {action for method in _calls() for action in _actions_of(method)} | PLATFORM
    for action, names in _allowed().items():
        assert action in called, f"no code calls {action}, but the policy of {', '.join(sorted(names))} allows it"


# ---- a story, with every call held against the policy of the function that makes it ----


@dataclass
class Guard:
    """Records each AWS call that the policy of the running function does not allow."""

    denied: set[str] = field(default_factory=set)
    seen: set[tuple[str, str]] = field(default_factory=set)
    running: list[str] = field(default_factory=list)
    #: Clears the caches of this process, because each function on AWS has separate memory.
    forget: Callable[[], None] = lambda: None

    def check(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if not self.running:
            return
        name, operation = self.running[-1], str(model.name)
        if operation in {"ReceiveMessage", "DeleteMessage"}:
            return  # the test's own event source mapping
        body = params.get("body") or ""
        text = f"{params.get('url', '')} {body.decode() if isinstance(body, bytes) else body}"
        for action in _operation_actions(operation, text):
            for resource in _resources_of(text):
                self.seen.add((name, action))
                if not _may(name, action, resource):
                    self.denied.add(f"{name}: {action} on {resource}")

    def watch(self, name: str, handler: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any) -> Any:
            self.running.append(name)
            self.forget()
            try:
                return handler(*arguments)
            finally:
                self.running.pop()

        return watched


def _operation_actions(operation: str, text: str) -> set[str]:
    if operation == "TransactWriteItems":
        return {f"{kind}Item" for kind in ("Put", "Update", "Delete", "ConditionCheck") if f'"{kind}": {{' in text}
    if operation == "BatchExecuteStatement":
        return {f"PartiQL{kind.capitalize()}" for kind in ("INSERT", "UPDATE") if f'"{kind} ' in text}
    if operation in {"CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"}:
        return {"PutObject"}
    return {"SendMessage"} if operation == "SendMessageBatch" else {operation}


def _resources_of(text: str) -> set[str]:
    """Logical ids, with the index behind the table where one is asked."""
    resources = load_template()["Resources"]
    kinds = {name: each["Type"] for name, each in resources.items()}
    found = {name for name, kind in kinds.items() if physical_name(name, kind=kind) in text}
    if '"IndexName": "' in text:
        index = text.partition('"IndexName": "')[2].partition('"')[0]
        return {f"{name}/index/{index}" for name in found}
    return found


def _may(name: str, action: str, resource: str) -> bool:
    for statement in _statements(name):
        if action in {each.partition(":")[2] for each in statement["Action"]}:
            for text in map(_text, statement["Resource"]):
                spoken = text.removeprefix("${").replace(".Arn}", "").removesuffix(".Arn").removesuffix(".Id")
                if spoken.removesuffix("/*") == resource:
                    return True
    return False


@contextmanager
def _guarded(told: Story, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guard]:
    secret: Any = told.world.ports.secret
    guard = Guard(forget=lambda: setattr(secret, "_value", None))
    monkeypatch.setattr(type(app), "__call__", guard.watch("api_handler", type(app).__call__))
    for entry in (*WORKERS.values(), "chalicelib.workers.clock.tick"):
        module, _, name = entry.rpartition(".")
        loaded = __import__(module, fromlist=[name])
        monkeypatch.setattr(loaded, name, guard.watch(name, getattr(loaded, name)))
    clients = [told.world.aws.client(service) for service in ("dynamodb", "sqs", "s3", "secretsmanager")]
    for client in clients:
        client.meta.events.register("before-call", guard.check, unique_id="guard")
    try:
        yield guard
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", unique_id="guard")


def test_a_campaign_with_everything_needs_nothing_that_its_functions_may_not(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _guarded(story, monkeypatch) as guard:
        story.set_up(contacts=2)
        csv = {"Content-Type": "text/csv"}
        story.expect(202, story.api.post("/v1/contacts/import", b"email\na@example.com\nwrong\n", headers=csv))
        steps = (
            story.send("a"),
            {"id": "w", "type": "WAIT", "for": "PT30M"},
            {"id": "t", "type": "TAG", "add": ["x"]},
            story.send("b"),
            {"id": "e", "type": "END"},
        )
        flow = story.start(story.campaign(*steps), configuration={"pauseBetweenContactsMs": 1000})
        story.advance(timedelta(minutes=5), timedelta(seconds=10))
        story.set_status(flow, "paused")
        story.set_status(flow, "running")
        story.advance(timedelta(minutes=40), timedelta(seconds=20))
        assert story.flow(flow)["status"] == "completed"
        story.expect(200, story.api.get(f"/flows/{flow}/executions/{story.contacts[0]}"))
        story.expect(200, story.api.get(f"/v1/contacts/{story.contacts[0]}"))
        for url in ("/flows", "/v1/contacts", "/v1/campaigns", f"/v1/messages?flowUid={flow}", "/v1/templates"):
            story.expect(200, story.api.get(url))
        story.api.delete(f"/v1/contacts/{story.contacts[0]}")
        story.api.delete(f"/flows/{flow}")
        story.advance(timedelta(minutes=1), timedelta(seconds=10))
    assert guard.denied == set()
    assert {name for name, _ in guard.seen} >= {"api_handler", "run_steps", "run_jobs", "tick"}


def test_events_and_a_calendar_need_nothing_that_their_functions_may_not(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _guarded(story, monkeypatch) as guard:
        story.set_up(contacts=2)
        heard = story.campaign(
            story.send("a", channelUid=story.channel), trigger={"type": "event", "event": "order.placed"}
        )
        planned = story.campaign(
            story.send("a", channelUid=story.channel),
            trigger={"type": "scheduled", "at": "2026-03-02T09:05:00", "timezone": "UTC"},
            audience={"contactUids": story.contacts},
        )
        for campaign in (heard, planned):
            story.expect(202, story.api.post(f"/campaigns/{campaign}/launch"))
        event = {"name": "order.placed", "contactUid": story.contacts[0]}
        story.expect(202, story.api.post("/v1/events", {"events": [event]}))
        changed = {"firstName": "Another", "tags": ["vip"]}
        story.expect(200, story.api.patch(f"/v1/contacts/{story.contacts[0]}", changed))
        story.advance(timedelta(minutes=10), timedelta(seconds=20))
        assert len(story.provider.calls) == 3
        story.api.delete(f"/v1/contacts/{story.contacts[0]}")
    assert guard.denied == set()
    assert {name for name, _ in guard.seen} >= {"api_handler", "run_steps", "run_jobs", "run_events", "tick"}


def test_consent_export_and_erasure_need_nothing_that_their_functions_may_not(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _guarded(story, monkeypatch) as guard:
        swap_ports(story, public_url="https://mail.example.com")
        story.set_up(contacts=2)
        ann, ben = story.contacts
        asked = {"channelUid": story.channel, "templateUid": story.add_template("{{ confirm_url }}")}
        story.expect(202, consent(story, ann, "PENDING", **asked))
        story.run()
        assert story.api.post(path_of(story.provider.calls[-1].message.content["text"])).status == 200
        submit(story, unsubscribe_path(story), "List-Unsubscribe=One-Click")
        entry = story.expect(201, story.api.post("/v1/suppressions", {"email": "c1@example.com"}))
        story.provider.answer = lambda message: RecipientSuppressed("opted_out")
        story.expect(200, story.api.delete(f"/v1/suppressions/{entry['uid']}"))
        waiting = story.start(story.campaign({"id": "w", "type": "WAIT", "for": "P1D"}, story.send("a")))
        story.start(story.short_campaign())
        story.advance(timedelta(seconds=3))
        for wanted in ({"of": "contacts"}, {"of": "executions", "flowUid": waiting}):
            story.expect(202, story.api.post("/v1/exports", wanted))
        upload = story.expect(201, story.api.post("/v1/uploads", {}))
        story.expect(200, story.api.get("/v1/contacts?tag=vip&name=x"))
        for uid in (ann, ben):
            assert story.api.get(f"/v1/contacts/{uid}/timeline").status == 200
            story.expect(200, story.api.delete(f"/v1/contacts/{uid}"))
        story.advance(timedelta(minutes=3), timedelta(seconds=20))
    assert upload["url"]
    assert story.flow(waiting)["metadata"]["skipReasons"] == {"contact_not_found": 2}
    assert guard.denied == set()
    assert {name for name, _ in guard.seen} >= {"api_handler", "run_steps", "run_jobs"}


def test_receipts_need_nothing_that_their_function_may_not(
    reporting: Story, hook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _guarded(reporting, monkeypatch) as guard:
        consent(reporting, reporting.contacts[0], "GRANTED")
        flow = sent(reporting)
        send_report(reporting, 1, "delivered")
        uid = str(reporting.provider.calls[0].message.uid)
        assert post(reporting, hook, {"message": uid, "engagement": "bounced"}).status == 200
        reporting.run()
        reply(reporting, "STOP", suppress="opted_out")
        reporting.advance(timedelta(seconds=1))
        reply(reporting, "START", resumes=True)
        assert reporting.flow(flow)["status"] == "completed"
    assert guard.denied == set()
    assert {name for name, _ in guard.seen} >= {"api_handler", "record_receipts"}
