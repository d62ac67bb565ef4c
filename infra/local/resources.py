"""Creates the resources of resources.yaml on the local AWS through its API, under predictable names."""

import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import ClientError

TEMPLATE = Path(__file__).resolve().parent.parent / "resources.yaml"
ClientFor = Callable[[str], Any]

TABLE, QUEUE, BUCKET = "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::S3::Bucket"
SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - the name of a type
BUS, RULE = "AWS::Events::EventBus", "AWS::Events::Rule"
#: Types that only a real account needs. A type that no list contains is an error.
UNNEEDED_TYPES = frozenset(
    {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::Logs::LogGroup", "AWS::S3::BucketPolicy"}
    | {"AWS::SNS::Topic", "AWS::SNS::Subscription", "AWS::Serverless::Api", "AWS::SQS::QueuePolicy"}
    # The local providers put their events into the queue themselves, as SNS would.
    | {"AWS::SNS::TopicPolicy", "AWS::SES::ConfigurationSet", "AWS::SES::ConfigurationSetEventDestination"}
)

#: Properties with the same form in the API and in CloudFormation.
COPIED = {
    TABLE: frozenset({"BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"}),
    QUEUE: frozenset({"VisibilityTimeout", "MessageRetentionPeriod", "SqsManagedSseEnabled", "RedrivePolicy"}),
    BUCKET: frozenset[str](),
    SECRET: frozenset[str](),
    BUS: frozenset[str](),
    RULE: frozenset[str](),
}
#: Properties that need a separate API call.
TRANSLATED = {
    TABLE: frozenset({"TimeToLiveSpecification"}),
    QUEUE: frozenset[str](),
    BUCKET: frozenset[str](),
    SECRET: frozenset({"GenerateSecretString"}),
    BUS: frozenset[str](),
    RULE: frozenset({"EventBusName", "EventPattern", "Targets"}),
}
#: Properties that protect data in a real account and are not needed locally.
UNNEEDED = {
    TABLE: frozenset({"DeletionProtectionEnabled", "PointInTimeRecoverySpecification", "SSESpecification"}),
    QUEUE: frozenset[str](),
    BUCKET: frozenset({"PublicAccessBlockConfiguration", "LifecycleConfiguration"}),
    SECRET: frozenset({"Description"}),
    BUS: frozenset({"Name"}),
    RULE: frozenset[str](),
}


class UnusableTemplate(Exception):
    """The template needs something that the local stack does not support or that conflicts with existing data."""


def provision(client_for: ClientFor, template: Path = TEMPLATE, prefix: str = "carillon") -> dict[str, str]:
    """Create what is missing and return the functions' environment, resolved; existing data stays as it is."""
    declared = load_template(template)
    resources: dict[str, Any] = declared["Resources"]
    for logical_id, resource in resources.items():
        _check(logical_id, resource)
    refs: dict[str, str] = {}
    for logical_id in _of_type(resources, TABLE):
        refs[logical_id] = physical_name(logical_id, prefix)
        _ensure_table(client_for("dynamodb"), refs[logical_id], _properties(resources[logical_id]))
    for logical_id in _dead_letters_first(resources):
        name = physical_name(logical_id, prefix)
        refs[logical_id] = _ensure_queue(client_for("sqs"), name, _properties(resources[logical_id]), refs)
    for logical_id in _of_type(resources, BUCKET):
        refs[logical_id] = physical_name(logical_id, prefix, BUCKET)
        _ensure_bucket(client_for("s3"), refs[logical_id])
    for logical_id in _of_type(resources, SECRET):
        refs[logical_id] = physical_name(logical_id, prefix)
        _ensure_secret(client_for("secretsmanager"), refs[logical_id], _properties(resources[logical_id]))
    _ensure_rules(client_for, resources, refs, prefix)
    variables: dict[str, Any] = declared["Globals"]["Function"]["Environment"]["Variables"]
    # The supervisor sets the variables that come from parameters (PUBLIC_URL) or the stack name.
    from_deployment = [{"Ref": name} for name in (*declared.get("Parameters", {}), "AWS::StackName")]
    return {name: _resolve(value, refs) for name, value in variables.items() if value not in from_deployment}


def queue_urls(client_for: ClientFor, template: Path = TEMPLATE, prefix: str = "carillon") -> dict[str, str]:
    """Return every queue's URL by its logical id, which is how an event source (`${StepQueue.QueueName}`) names it.

    Raises the client's QueueDoesNotExist before `provision`.
    """
    sqs = client_for("sqs")
    return {
        logical_id: str(sqs.get_queue_url(QueueName=physical_name(logical_id, prefix))["QueueUrl"])
        for logical_id in _of_type(load_template(template)["Resources"], QUEUE)
    }


def physical_name(logical_id: str, prefix: str = "carillon", kind: str = TABLE) -> str:
    """Return the name that `provision` gives; S3 allows no capitals."""
    name = f"{prefix}-{logical_id}"
    return name.lower() if kind == BUCKET else name


@lru_cache
def load_template(template: Path = TEMPLATE) -> dict[str, Any]:
    """Read a template; `!Ref`, `!GetAtt`, `!Sub` become their long forms. Cached: do not change what it returns."""
    loader = _Loader(template.read_text(encoding="utf-8"))
    try:
        content = loader.get_single_data()
    finally:
        loader.dispose()
    if not isinstance(content, dict):
        raise UnusableTemplate(f"{template.name} is not a template")
    return content


class _Loader(yaml.SafeLoader):
    """Safe YAML that knows CloudFormation's short tags."""


def _long_form(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if tag == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True) if isinstance(node, yaml.MappingNode) else None
    return {tag if tag in {"Ref", "Condition"} else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _long_form)


def _of_type(resources: Mapping[str, Any], kind: str) -> list[str]:
    return [logical_id for logical_id, resource in resources.items() if resource["Type"] == kind]


def _properties(resource: Mapping[str, Any]) -> dict[str, Any]:
    return dict(resource.get("Properties") or {})


def _check(logical_id: str, resource: Mapping[str, Any]) -> None:
    """Raise UnusableTemplate for unsupported types and properties, so that the local stack does not silently differ."""
    kind = resource["Type"]
    if kind in UNNEEDED_TYPES:
        return
    if kind not in COPIED:
        raise UnusableTemplate(
            f"{logical_id}: the local stack does not create {kind}; add it to infra/local/resources.py"
        )
    strange = _properties(resource).keys() - COPIED[kind] - TRANSLATED[kind] - UNNEEDED[kind]
    if strange:
        raise UnusableTemplate(f"{logical_id}: the local stack does not translate {', '.join(sorted(strange))}")


def _ensure_table(dynamodb: Any, name: str, properties: Mapping[str, Any]) -> None:
    wanted = {key: value for key, value in properties.items() if key in COPIED[TABLE]}
    try:
        dynamodb.create_table(TableName=name, **wanted)
    except dynamodb.exceptions.ResourceInUseException:
        _check_keys(name, wanted, dynamodb.describe_table(TableName=name)["Table"])
    expiry = properties.get("TimeToLiveSpecification")
    # Enabling it twice is an error on AWS, and a crash may have occurred between the two calls.
    if expiry and _expiry_is_off(dynamodb, name):
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)


def _expiry_is_off(dynamodb: Any, name: str) -> bool:
    described = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    return described.get("TimeToLiveStatus") not in {"ENABLED", "ENABLING"}


def _check_keys(name: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    if _keys(wanted) != _keys(found):
        raise UnusableTemplate(f"The table {name} is of another version: its keys or indexes differ from the template.")


def _keys(table: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """Return the keys of the table (under an empty name) and of its indexes."""
    indexes = table.get("GlobalSecondaryIndexes") or []
    schemas = {"": table["KeySchema"], **{index["IndexName"]: index["KeySchema"] for index in indexes}}
    return {name: [(key["AttributeName"], key["KeyType"]) for key in schema] for name, schema in schemas.items()}


def _dead_letters_first(resources: Mapping[str, Any]) -> list[str]:
    return sorted(
        _of_type(resources, QUEUE), key=lambda logical_id: "RedrivePolicy" in _properties(resources[logical_id])
    )


def _ensure_queue(sqs: Any, name: str, properties: Mapping[str, Any], refs: Mapping[str, str]) -> str:
    """Create the queue, or give the existing one the template's attributes; return its URL."""
    attributes = {key: _attribute(sqs, value, refs) for key, value in properties.items()}
    try:
        url = str(sqs.get_queue_url(QueueName=name)["QueueUrl"])
    except sqs.exceptions.QueueDoesNotExist:
        return str(sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    return url


def _attribute(sqs: Any, value: Any, refs: Mapping[str, str]) -> str:
    """Convert an attribute to a string, such as true, 180, or a redrive policy as JSON."""
    if isinstance(value, dict) and "deadLetterTargetArn" in value:
        return json.dumps({**value, "deadLetterTargetArn": _queue_attribute(sqs, value["deadLetterTargetArn"], refs)})
    return _text(value)


def _queue_attribute(sqs: Any, value: Mapping[str, Any], refs: Mapping[str, str]) -> str:
    """Return the value of a `!GetAtt` of a queue."""
    (target, attribute) = value["Fn::GetAtt"]
    found = sqs.get_queue_attributes(QueueUrl=refs[target], AttributeNames=[f"Queue{attribute}"])
    return str(found["Attributes"][f"Queue{attribute}"])


def _ensure_bucket(s3: Any, name: str) -> None:
    region = s3.meta.region_name
    # S3 rejects us-east-1 as a location constraint.
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=name, **where)
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise


def _ensure_secret(manager: Any, name: str, properties: Mapping[str, Any]) -> None:
    """Create a missing secret. An existing one keeps its value, because a new value would invalidate every key."""
    try:
        manager.describe_secret(SecretId=name)
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        manager.create_secret(Name=name, **_generated(properties))


def _generated(properties: Mapping[str, Any]) -> dict[str, str]:
    """Return the initial value of a secret; empty if the template generates none."""
    wanted = properties.get("GenerateSecretString")
    return {"SecretString": secrets.token_hex(int(wanted["PasswordLength"]) // 2)} if wanted else {}


def _ensure_rules(client_for: ClientFor, resources: Mapping[str, Any], refs: dict[str, str], prefix: str) -> None:
    """Create event buses and the rules that send matching events to queues."""
    for logical_id in _of_type(resources, BUS):
        refs[logical_id] = physical_name(logical_id, prefix)
        with suppress(client_for("events").exceptions.ResourceAlreadyExistsException):
            client_for("events").create_event_bus(Name=refs[logical_id])
    for logical_id in _of_type(resources, RULE):
        declared, name = _properties(resources[logical_id]), physical_name(logical_id, prefix)
        bus = _resolve(declared["EventBusName"], refs)
        client_for("events").put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(declared["EventPattern"]))
        targets = [
            {"Id": each["Id"], "Arn": _queue_attribute(client_for("sqs"), each["Arn"], refs)}
            for each in declared["Targets"]
        ]
        client_for("events").put_targets(Rule=name, EventBusName=bus, Targets=targets)


def _resolve(value: Any, refs: Mapping[str, str]) -> str:
    if isinstance(value, dict):
        if value.keys() != {"Ref"} or value["Ref"] not in refs:
            raise UnusableTemplate(f"The local stack cannot resolve {value}")
        return refs[value["Ref"]]
    return _text(value)


def _text(value: Any) -> str:
    """Return a plain value as CloudFormation writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
