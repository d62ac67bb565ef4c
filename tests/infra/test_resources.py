"""resources.yaml and what the laptop makes of it: tables, queues and the bucket answer as they are declared."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError

from infra.local.resources import TEMPLATE, UnusableTemplate, load_template, physical_name, provision, queue_urls
from tests.embedded_aws import EmbeddedAws, MotoAws

RESOURCES = load_template(TEMPLATE)["Resources"]
NOON = datetime(2031, 5, 1, 12, tzinfo=UTC)
Aws = EmbeddedAws | MotoAws


@pytest.fixture(scope="module", params=[EmbeddedAws, MotoAws])
def some_aws(request: pytest.FixtureRequest) -> Any:
    return request.param()


@pytest.fixture
def aws(some_aws: Aws) -> Iterator[Aws]:
    some_aws.reset()
    yield some_aws
    some_aws.reset()


def _queues() -> dict[str, dict[str, Any]]:
    return {name: r["Properties"] for name, r in RESOURCES.items() if r["Type"] == "AWS::SQS::Queue"}


def _read_queues() -> dict[str, dict[str, Any]]:
    return {name: queue for name, queue in _queues().items() if not name.endswith("DeadLetters")}


def _tables() -> dict[str, dict[str, Any]]:
    return {name: r["Properties"] for name, r in RESOURCES.items() if r["Type"] == "AWS::DynamoDB::Table"}


# ---- the template ----


def test_every_queue_that_a_worker_reads_has_a_dead_letter_queue_of_its_own() -> None:
    targets = [queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0] for queue in _read_queues().values()]
    assert sorted(targets) == sorted(name for name in _queues() if name.endswith("DeadLetters"))
    assert all(queue["RedrivePolicy"]["maxReceiveCount"] >= 5 for queue in _read_queues().values())


def test_dead_letters_outlive_the_queue_they_come_from() -> None:
    four_days = 345_600
    for name, queue in _queues().items():
        expected = 1_209_600 if name.endswith("DeadLetters") else four_days
        assert queue.get("MessageRetentionPeriod", four_days) == expected, name


def test_visibility_leaves_six_timeouts_of_the_function_that_reads() -> None:
    visibility = {name: queue["VisibilityTimeout"] for name, queue in _queues().items()}
    assert visibility == {
        "StepQueue": 180,
        "JobQueue": 360,
        "EventQueue": 180,
        "ReceiptQueue": 180,
        "WebhookQueue": 180,
        "WebhookDesk": 180,
        "WebhookDeadLetters": 180,
        "WebhookDeskDeadLetters": 180,
        "StepDeadLetters": 180,
        "JobDeadLetters": 180,
        "EventDeadLetters": 180,
        "ReceiptDeadLetters": 180,
    }


def test_every_table_is_paid_per_request_recoverable_encrypted_and_protected() -> None:
    for name, table in _tables().items():
        assert table["BillingMode"] == "PAY_PER_REQUEST", name
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}, name
        # Left out, DynamoDB encrypts with its own key, free of charge; the other branch is a customer's key, billed.
        assert table["SSESpecification"]["Fn::If"][0] == "HasTableKey", name
        assert table["SSESpecification"]["Fn::If"][2] == {"Ref": "AWS::NoValue"}, name
        assert table["DeletionProtectionEnabled"] is True, name


def test_every_dead_letter_queue_has_an_alarm_at_the_first_message() -> None:
    alarms = [r["Properties"] for r in RESOURCES.values() if r["Type"] == "AWS::CloudWatch::Alarm"]
    watched = {
        alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0]
        for alarm in alarms
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
        and (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    }
    assert watched == {name for name in _queues() if name.endswith("DeadLetters")}
    assert all(alarm["AlarmActions"] == [{"Ref": "Alarms"}] for alarm in alarms)


def test_no_resource_has_a_physical_name() -> None:
    naming = {"TableName", "QueueName", "BucketName", "TopicName", "AlarmName"}
    assert not [name for name, r in RESOURCES.items() if naming & (r.get("Properties") or {}).keys()]


def test_files_are_private_and_expire() -> None:
    bucket = RESOURCES["FilesBucket"]["Properties"]
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert [r["ExpirationInDays"] for r in bucket["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in r] == [30]


# ---- what is made of it ----


def test_the_environment_names_things_that_answer(aws: Aws) -> None:
    env = aws.provision()
    assert env.keys() == {
        *(f"{name}_TABLE" for name in ("CATALOG", "CONTACTS", "EXECUTIONS", "TIMERS")),
        "STEP_QUEUE_URL",
        "JOB_QUEUE_URL",
        "EVENT_QUEUE_URL",
        "RECEIPT_QUEUE_URL",
        "WEBHOOK_QUEUE_URL",
        "WEBHOOK_DESK_URL",
        "FILES_BUCKET",
        "SIGNING_SECRET_ID",
        "PYDANTIC_DISABLE_PLUGINS",
    }
    for name in (value for key, value in env.items() if key.endswith("_TABLE")):
        assert aws.client("dynamodb").describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE"
    for url in (env["STEP_QUEUE_URL"], env["JOB_QUEUE_URL"]):
        assert aws.client("sqs").send_message(QueueUrl=url, MessageBody="hello")["MessageId"]
    aws.client("s3").put_object(Bucket=env["FILES_BUCKET"], Key="imports/é 1.csv", Body=b"email\n")
    stored = aws.client("s3").get_object(Bucket=env["FILES_BUCKET"], Key="imports/é 1.csv")
    assert stored["Body"].read() == b"email\n"


def test_provisioning_twice_keeps_what_is_there(aws: Aws) -> None:
    env = aws.provision()
    _put(aws, env["CATALOG_TABLE"], "a")
    aws.client("sqs").send_message(QueueUrl=env["STEP_QUEUE_URL"], MessageBody="kept")
    assert aws.provision() == env
    assert aws.client("dynamodb").get_item(TableName=env["CATALOG_TABLE"], Key=_key("a")).get("Item")
    assert [m["Body"] for m in _receive(aws, env["STEP_QUEUE_URL"])] == ["kept"]


def test_a_reset_forgets_everything_and_provisioning_starts_empty(aws: Aws) -> None:
    env = aws.provision()
    _put(aws, env["CATALOG_TABLE"], "a")
    aws.reset()
    assert aws.client("dynamodb").list_tables()["TableNames"] == []
    aws.reset()
    assert aws.provision() == env
    assert aws.client("dynamodb").scan(TableName=env["CATALOG_TABLE"])["Count"] == 0


def test_tables_have_the_declared_indexes_and_expiry(aws: Aws) -> None:
    aws.provision()
    dynamodb = aws.client("dynamodb")
    for logical_id, declared in _tables().items():
        name = physical_name(logical_id)
        found = dynamodb.describe_table(TableName=name)["Table"]
        assert found["KeySchema"] == declared["KeySchema"]
        assert _indexes(found) == _indexes(declared)
        expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        assert expiry.get("AttributeName") == declared.get("TimeToLiveSpecification", {}).get("AttributeName")


def test_an_index_finds_only_items_that_carry_its_key(aws: Aws) -> None:
    table = aws.provision()["CATALOG_TABLE"]
    _put(aws, table, "idle")
    _put(aws, table, "running", activeKey="flows#0", activeSort="w1#f1")
    found = aws.client("dynamodb").query(
        TableName=table,
        IndexName="active",
        KeyConditionExpression="activeKey = :key",
        ExpressionAttributeValues={":key": {"S": "flows#0"}},
    )["Items"]
    assert [item["pk"]["S"] for item in found] == ["running"]


def test_what_is_put_on_the_event_bus_lands_in_the_event_queue(aws: Aws) -> None:
    if isinstance(aws, MotoAws):
        pytest.skip("moto hands rules' events over only with a library of jsonpath, which nothing else needs")
    aws.provision()
    aws.provision()
    entry = {"Source": "shop", "EventBusName": "carillon-EventBus", "Detail": '{"name": "order.placed"}'}
    aws.client("events").put_events(Entries=[{**entry, "DetailType": kind} for kind in ("carillon.event", "other")])
    arrived = _receive(aws, queue_urls(aws.client)["EventQueue"])
    assert [json.loads(each["Body"])["detail"] for each in arrived] == [{"name": "order.placed"}]


def test_an_event_source_finds_its_queue_by_logical_id(aws: Aws) -> None:
    env = aws.provision()
    urls = queue_urls(aws.client)
    assert urls.keys() == _queues().keys()
    assert (urls["StepQueue"], urls["JobQueue"]) == (env["STEP_QUEUE_URL"], env["JOB_QUEUE_URL"])


def test_two_prefixes_share_an_account(aws: Aws) -> None:
    env = aws.provision()
    other = provision(aws.client, prefix="other")
    shared = {name for name in env if env[name] == other[name]}
    assert shared == {"PYDANTIC_DISABLE_PLUGINS"}, "it names nothing"


def test_a_message_received_five_times_becomes_a_dead_letter(aws: Aws) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        aws.provision()
        urls = queue_urls(aws.client)
        aws.client("sqs").send_message(QueueUrl=urls["JobQueue"], MessageBody="poison")
        for _ in range(5):
            assert len(_receive(aws, urls["JobQueue"])) == 1
            assert _receive(aws, urls["JobQueue"]) == []
            clock.shift(361)
        assert _receive(aws, urls["JobQueue"]) == []
        assert [m["Body"] for m in _receive(aws, urls["JobDeadLetters"])] == ["poison"]


def test_a_delayed_message_appears_when_the_clock_has_moved(aws: Aws) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        url = aws.provision()["STEP_QUEUE_URL"]
        aws.client("sqs").send_message(QueueUrl=url, MessageBody="later", DelaySeconds=900)
        clock.shift(899)
        assert _receive(aws, url) == []
        clock.shift(2)
        assert [m["Body"] for m in _receive(aws, url)] == ["later"]


def test_a_long_poll_ends_although_the_clock_stands(aws: Aws) -> None:
    with time_machine.travel(NOON, tick=False):
        url = aws.provision()["STEP_QUEUE_URL"]
        assert "Messages" not in aws.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=20)


def test_a_conditional_put_fails_the_second_time_and_says_what_is_there(aws: Aws) -> None:
    table = aws.provision()["CATALOG_TABLE"]
    _put(aws, table, "once", by="first")
    with pytest.raises(ClientError) as refusal:
        aws.client("dynamodb").put_item(
            TableName=table,
            Item={**_key("once"), "by": {"S": "second"}},
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert refusal.value.response["Error"]["Code"] == "ConditionalCheckFailedException"
    answer: Any = refusal.value.response
    assert answer["Item"]["by"] == {"S": "first"}


def test_the_embedded_aws_deletes_nothing_by_a_travelled_clock() -> None:
    EmbeddedAws().provision()
    assert "dynamodb-ttl-reaper" not in {thread.name for thread in threading.enumerate()}


# ---- what it refuses ----


@pytest.mark.parametrize(
    ("resource", "complaint"),
    [
        ("{Type: AWS::Kinesis::Stream}", "does not create AWS::Kinesis::Stream"),
        ("{Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}", "does not translate FifoQueue"),
        ("{Type: AWS::DynamoDB::Table, Properties: {LocalSecondaryIndexes: []}}", "does not translate LocalSecondary"),
        ("{Type: AWS::S3::Bucket, Properties: {VersioningConfiguration: {}}}", "does not translate Versioning"),
    ],
)
def test_what_the_laptop_cannot_make_is_an_error(tmp_path: Path, resource: str, complaint: str) -> None:
    with pytest.raises(UnusableTemplate, match=complaint):
        provision(EmbeddedAws().client, _template(tmp_path, f"  Strange: {resource}"))


def test_a_variable_that_names_nothing_made_here_is_an_error(tmp_path: Path) -> None:
    template = _template(tmp_path, "  Alarms: {Type: AWS::SNS::Topic}", "TOPIC: !Ref Alarms")
    with pytest.raises(UnusableTemplate, match="cannot resolve"):
        provision(EmbeddedAws().client, template)


def test_a_table_of_another_version_is_named(tmp_path: Path, aws: Aws) -> None:
    aws.provision()
    old = """  TimersTable:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]"""
    with pytest.raises(UnusableTemplate, match="carillon-TimersTable is of another version"):
        provision(aws.client, _template(tmp_path, old))


def test_short_tags_become_long_ones(tmp_path: Path) -> None:
    template = _template(
        tmp_path, "  A: {Type: T, Properties: {x: !Sub 'a${B}', y: !GetAtt B.C.D, z: !Join [',', [!Ref B]]}}"
    )
    assert load_template(template)["Resources"]["A"]["Properties"] == {
        "x": {"Fn::Sub": "a${B}"},
        "y": {"Fn::GetAtt": ["B", "C.D"]},
        "z": {"Fn::Join": [",", [{"Ref": "B"}]]},
    }


def _template(folder: Path, resources: str, variables: str = "STAGE: test") -> Path:
    path = folder / "resources.yaml"
    path.write_text(
        f"Globals: {{Function: {{Environment: {{Variables: {{{variables}}}}}}}}}\nResources:\n{resources}\n"
    )
    return path


def _key(pk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": "META"}}


def _put(aws: Aws, table: str, pk: str, **attributes: str) -> None:
    item = _key(pk) | {name: {"S": value} for name, value in attributes.items()}
    aws.client("dynamodb").put_item(TableName=table, Item=item, ConditionExpression="attribute_not_exists(pk)")


def _receive(aws: Aws, url: str) -> list[dict[str, Any]]:
    return list(aws.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []))


def _indexes(table: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    found = table.get("GlobalSecondaryIndexes", [])
    return {index["IndexName"]: (index["KeySchema"], index["Projection"]) for index in found}
