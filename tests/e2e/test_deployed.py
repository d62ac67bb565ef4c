"""The deployed stack in an emulator: the API, mappings, rule and roles of the template run the built package.

The emulator checks every call of every Lambda against the role that the template gave it.
"""

import hashlib
import json
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.deploy import read_built
from infra.local.deployed import STAGE, Deployed, deployed
from infra.packaging.stack import DeploymentFailed
from infra.packaging.target import THIS_MACHINE
from tests.e2e.stack import free_port

#: How much faster the engine's clock runs. The rule is as slow as on AWS, so one minute of it is SPEED of the engine's:
#: few enough that a clock that failed twice still finds its first timers, an hour back.
SPEED = 20.0
#: Seconds for what takes one as a rule: where the emulator was too busy to answer, a queue brings it again after 180.
BUSY = 420


def eventually(check: Callable[[], Any], seconds: float) -> Any:
    """Return the result of `check` once it is true. Each check runs a Lambda function, so there are few."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(1)
    return found


@dataclass
class Caller:
    """Call the deployed API as a client on the internet does."""

    stack: Deployed
    api: str
    key: str | None

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.key}"} if self.key else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.api + path, method=method, data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def make(self, path: str, body: object = None, method: str = "POST") -> Any:
        status, answer = self.call(method, path, body)
        assert status in {200, 201, 202}, (path, status, answer)
        return answer["data"]

    def start_flow(self, *steps: dict[str, Any], contacts: int = 3) -> str:
        tag = f"{time.monotonic_ns()}"
        channel = self.make("/v1/channels", {"name": tag, "type": "console"})["uid"]
        made = {"name": tag, "channelType": "console", "content": {"text": "Hi {{ first_name }}"}}
        template = self.make("/v1/templates", {**made, "parameterDefaults": {"first_name": "you"}})["uid"]
        self.make(f"/v1/templates/{template}/publish")
        uids = [self.make("/v1/contacts", {"email": f"{tag}-{n}@example.com"})["uid"] for n in range(contacts)]
        sends = [{**step, **({"templateUid": template} if step["type"] == "SEND" else {})} for step in steps]
        campaign = self.make("/v1/campaigns", {"name": tag, "steps": sends})["uid"]
        body = {"channelUid": channel, "campaignUid": campaign, "contactUids": uids}
        return str(self.make("/flows", body)["uid"])

    def await_end(self, flow: str, seconds: float = BUSY) -> Any:
        """Wait, usually for a minute."""

        def is_over() -> Any:
            found = self.make(f"/flows/{flow}", method="GET")
            return found if found["status"] not in {"queued", "running"} else None

        return eventually(is_over, seconds)

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Return the log of the functions."""
        logs = self.stack.emulator.client("logs")
        (group,) = [
            each["logGroupName"]
            for each in logs.describe_log_groups()["logGroups"]
            if "FunctionLogs" in each["logGroupName"]
        ]
        found = [
            each["message"]
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            for each in page["events"]
        ]
        lines = [json.loads(line) for text in found for line in text.splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("message") == event or line.get("service") == event]


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    with deployed(tmp_path_factory.mktemp("deployed"), free_port(), lambda _: None, SPEED) as stack:
        yield Caller(stack, stack.api, stack.key)


@pytest.fixture(scope="module")
def waiting(caller: Caller) -> str:
    """Start a flow that waits during the other tests; its end is checked after them."""
    return caller.start_flow(
        {"id": "a", "type": "SEND"},
        {"id": "w", "type": "WAIT", "for": "PT16M"},
        {"id": "t", "type": "TAG", "add": ["greeted"]},
        {"id": "b", "type": "SEND"},
        {"id": "e", "type": "END"},
    )


@pytest.mark.usefixtures("waiting")
def test_the_api_answers_and_knows_its_first_key(caller: Caller) -> None:
    assert caller.call("GET", "/health") == (200, {"status": "ok"})
    assert caller.make("/v1/workspace", method="GET")["name"] == "First workspace"
    status, answer = Caller(caller.stack, caller.api, None).call("GET", "/v1/workspace")
    assert (status, answer["error"]) == (401, "unauthorized")


def test_a_dead_letter_is_redriven_and_an_unreadable_one_stays(caller: Caller) -> None:
    sqs, outputs = caller.stack.emulator.client("sqs"), caller.stack.outputs
    flow = caller.start_flow({"id": "a", "type": "SEND"}, contacts=1)
    caller.await_end(flow)
    hint = json.dumps({"v": 1, "w": caller.make("/v1/workspace", method="GET")["uid"], "f": flow, "c": "C", "q": 1})
    sqs.send_message(QueueUrl=outputs["StepDeadLettersUrl"], MessageBody=hint)
    sqs.send_message(QueueUrl=outputs["StepDeadLettersUrl"], MessageBody='{"v":9}')
    eventually(lambda: [line for line in caller.logged("deadletters.redriven") if line.get("steps")], BUSY)
    eventually(lambda: caller.logged("deadletters.unreadable"), BUSY)
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def left() -> int:
        found = sqs.get_queue_attributes(QueueUrl=outputs["StepDeadLettersUrl"], AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    # The emulator logs before it deletes.
    eventually(lambda: left() == 1, 60)


def test_what_has_not_changed_is_not_deployed_again(caller: Caller) -> None:
    said: list[str] = []
    caller.stack.deployment.say = said.append
    built = read_built(STAGE, caller.stack.output, THIS_MACHINE.name)
    caller.stack.deployment.deploy(built, {})
    assert "carillon-dev is as it should be" in said


def test_a_new_key_opens_the_same_workspace_and_the_old_one_still_does(caller: Caller) -> None:
    workspace = caller.make("/v1/workspace", method="GET")["uid"]
    built = read_built(STAGE, caller.stack.output, THIS_MACHINE.name)
    caller.stack.deployment.deploy(built, {}, new_key=True)
    renewed = Caller(caller.stack, caller.api, caller.stack.key)
    assert renewed.key != caller.key
    assert renewed.make("/v1/workspace", method="GET")["uid"] == workspace
    assert caller.make("/v1/workspace", method="GET")["uid"] == workspace


def test_an_update_that_would_replace_a_table_is_refused(caller: Caller) -> None:
    place = caller.stack.output / STAGE / "template.json"
    kept = place.read_text()
    template = json.loads(kept)
    table = template["Resources"]["TimersTable"]["Properties"]
    table["KeySchema"], table["AttributeDefinitions"] = table["KeySchema"][:1], table["AttributeDefinitions"][:1]
    place.write_text(json.dumps(template))
    try:
        with pytest.raises(DeploymentFailed, match="This would take TimersTable with its data out of the stack"):
            caller.stack.deployment.deploy(read_built(STAGE, caller.stack.output, THIS_MACHINE.name), {})
    finally:
        place.write_text(kept)


def test_an_unknown_parameter_is_named(caller: Caller) -> None:
    built = read_built(STAGE, caller.stack.output, THIS_MACHINE.name)
    with pytest.raises(DeploymentFailed, match="no parameter AlarmMail; it has AlarmEmail"):
        caller.stack.deployment.deploy(built, {"AlarmMail": "a@example.com"})


def test_a_flow_waits_by_a_timer_and_the_minutes_rule_and_goes_on_in_newer_code(caller: Caller, waiting: str) -> None:
    """SQS cannot delay this long: the timer is in the table until the rule starts the clock's Lambda function."""
    eventually(lambda: caller.make(f"/flows/{waiting}", method="GET")["stats"]["sent"] >= 3, BUSY)
    before = _code(caller)
    _change_code(caller.stack.output / STAGE)
    caller.stack.deployment.deploy(read_built(STAGE, caller.stack.output, THIS_MACHINE.name), {})
    assert _code(caller) != before
    found = caller.await_end(waiting)
    assert (found["status"], found["stats"]["sent"], found["stats"]["completed"]) == ("completed", 6, 3)
    assert [line for line in caller.logged("clock.ticked") if line["buckets"]]
    counted = [line["Sent"][0] for line in caller.logged("steps") if "Sent" in line]
    assert sum(counted) >= 6, "the metrics of the batches"


def _change_code(place: Path) -> None:
    """Change the package as a build of other sources does."""
    with zipfile.ZipFile(place / "deployment.zip", "a") as content:
        content.writestr("newer.txt", "another code")
    code = hashlib.sha256((place / "deployment.zip").read_bytes()).hexdigest()
    manifest = json.loads((place / "manifest.json").read_text())
    (place / "manifest.json").write_text(json.dumps({**manifest, "code": code}))


def _code(caller: Caller) -> str:
    name = caller.stack.functions()["RunSteps"]
    found = caller.stack.emulator.client("lambda").get_function_configuration(FunctionName=name)
    return str(found["CodeSha256"])


def test_destroying_keeps_the_data(caller: Caller) -> None:
    """The last test of this file, because it deletes the stack."""
    kept = caller.stack.deployment.destroy(with_data=False)
    assert kept.keys() == {
        "CatalogTable",
        "ContactsTable",
        "ExecutionsTable",
        "TimersTable",
        "FilesBucket",
        "SigningSecret",
    }
    tables = caller.stack.emulator.client("dynamodb").list_tables()["TableNames"]
    assert {name for kind, name in kept.values() if kind == "AWS::DynamoDB::Table"} == set(tables)
    with pytest.raises(DeploymentFailed, match="There is no carillon-dev"):
        caller.stack.deployment.destroy(with_data=False)
