"""The template as CloudFormation gets it: what SAM expands out of Chalice's, resources.yaml's and our own part."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import app
from chalicelib.workers.steps import METRICS
from infra.build import Templates, build_templates, declared_functions
from infra.packaging.checks import check_templates, lint
from infra.packaging.config import read_config, read_functions
from infra.packaging.stack import DATA_TYPES
from infra.packaging.target import Unbuildable
from infra.packaging.template import finish

FUNCTION, MAPPING, QUEUE = "AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping", "AWS::SQS::Queue"

#: Queues that no worker reads, and why.
UNREAD: dict[str, str] = {
    "WebhookDeadLetters": "a delivery is due again by the clock; the alarm calls a person",
    "WebhookDeskDeadLetters": "the same",
}


def _of_type(templates: Templates, kind: str) -> dict[str, dict[str, Any]]:
    resources = templates.expanded["Resources"]
    return {name: each["Properties"] for name, each in resources.items() if each["Type"] == kind}


def _sources(templates: Templates) -> Iterator[tuple[dict[str, Any], str, dict[str, Any]]]:
    """Each mapping of a queue, with the queue's logical id and the function."""
    functions = _of_type(templates, FUNCTION)
    for mapping in _of_type(templates, MAPPING).values():
        queue = re.search(r"\$\{(\w+)\.QueueName\}", json.dumps(mapping["EventSourceArn"]))
        assert queue, mapping["EventSourceArn"]
        yield mapping, queue[1], functions[mapping["FunctionName"]["Ref"]]


def test_cfn_lint_has_nothing_to_say_of_either_template(templates: Templates) -> None:
    check_templates(templates.sam, templates.expanded)


def test_cfn_lint_would_have_something_to_say_of_a_mistake(templates: Templates) -> None:
    wrong = json.loads(json.dumps(templates.expanded))
    wrong["Resources"]["RunSteps"]["Properties"]["Timeout"] = 9_000
    small = {**wrong, "Resources": {"RunSteps": wrong["Resources"]["RunSteps"]}}
    assert any("9000" in finding for finding in lint(json.dumps(small)))


def test_every_function_of_the_code_is_in_the_template(templates: Templates) -> None:
    assert len(_of_type(templates, FUNCTION)) == len(declared_functions())
    declared = {source.handler_string for source in app.event_sources} | {"app.app"}
    assert {function["Handler"] for function in _of_type(templates, FUNCTION).values()} == declared


def test_every_function_runs_on_arm_with_a_role_of_its_own_and_a_chosen_timeout(templates: Templates) -> None:
    functions = _of_type(templates, FUNCTION)
    assert {(f["Runtime"], tuple(f["Architectures"])) for f in functions.values()} == {("python3.13", ("arm64",))}
    assert max(Counter(json.dumps(f["Role"]) for f in functions.values()).values()) == 1
    for name, function in functions.items():
        assert function["Timeout"] <= (29 if name == "APIHandler" else 60), f"{name}: API Gateway waits 29 s"
        assert function["LoggingConfig"] == {"LogGroup": {"Ref": "FunctionLogs"}}


def test_every_worker_of_a_queue_reports_partial_failures_and_has_a_limit(templates: Templates) -> None:
    found = list(_sources(templates))
    assert found
    for mapping, queue, _ in found:
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], queue
        assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2, queue
        assert mapping["BatchSize"] <= 10 or mapping["MaximumBatchingWindowInSeconds"] > 0, queue


def test_a_message_stays_hidden_for_six_timeouts_of_its_worker(templates: Templates) -> None:
    queues = _of_type(templates, QUEUE)
    for _, queue, function in _sources(templates):
        assert queues[queue]["VisibilityTimeout"] >= 6 * function["Timeout"], (
            f"{queue}: VisibilityTimeout must be at least {6 * function['Timeout']}"
        )


def test_every_queue_has_a_worker_and_a_dead_letter_queue_or_is_one(templates: Templates) -> None:
    queues = _of_type(templates, QUEUE)
    targets = {
        each["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for each in queues.values()
        if "RedrivePolicy" in each
    }
    lone = [name for name, each in queues.items() if "RedrivePolicy" not in each and name not in targets]
    assert lone == [], "give these queues a RedrivePolicy, or name them as the target of one"
    unread = queues.keys() - {queue for _, queue, _ in _sources(templates)}
    assert unread == UNREAD.keys(), "declare a worker with on_sqs_message for each queue, or say in UNREAD why none"
    assert all(each["SqsManagedSseEnabled"] for each in queues.values())


def test_what_holds_data_outlives_the_stack_and_a_replacement(templates: Templates) -> None:
    for name, each in templates.expanded["Resources"].items():
        if each["Type"] in DATA_TYPES and name != "FirstKey":
            assert each["DeletionPolicy"] == "RetainExceptOnCreate", name
            assert each["UpdateReplacePolicy"] == "Retain", name


def test_logs_end_after_a_while(templates: Templates) -> None:
    groups = _of_type(templates, "AWS::Logs::LogGroup")
    assert groups
    assert all(group["RetentionInDays"] <= 90 for group in groups.values())


def test_every_function_has_an_alarm_for_its_errors_and_its_throttles(templates: Templates) -> None:
    alarms = _of_type(templates, "AWS::CloudWatch::Alarm").values()
    watched = {
        (a["MetricName"], json.dumps(a["Dimensions"][0]["Value"])) for a in alarms if a["Namespace"] == "AWS/Lambda"
    }
    for name in _of_type(templates, FUNCTION):
        assert {("Errors", json.dumps({"Ref": name})), ("Throttles", json.dumps({"Ref": name}))} <= watched, name
    assert all(alarm["AlarmActions"] == [{"Ref": "Alarms"}] for alarm in alarms)


def test_a_clock_that_stands_still_is_an_alarm_although_it_counts_nothing(templates: Templates) -> None:
    alarm = _of_type(templates, "AWS::CloudWatch::Alarm")["ClockAlarm"]
    assert (alarm["TreatMissingData"], alarm["ComparisonOperator"]) == ("breaching", "LessThanThreshold")
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "Tick"}}]


def test_the_dashboard_is_json_and_its_metrics_are_those_that_are_counted(templates: Templates) -> None:
    body = json.loads(_of_type(templates, "AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"])
    shown = {str(metric[1]) for widget in body["widgets"] for metric in widget["properties"]["metrics"]}
    assert {*METRICS.values(), "Records", "GivenBack", "Faults", "Milliseconds"} <= shown


def test_the_api_is_regional_has_one_stage_and_answers_for_itself_in_our_shape(templates: Templates) -> None:
    assert len(_of_type(templates, "AWS::ApiGateway::Stage")) == 1
    api = _of_type(templates, "AWS::ApiGateway::RestApi")["RestAPI"]
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    answers = api["Body"]["x-amazon-apigateway-gateway-responses"]
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "MISSING_AUTHENTICATION_TOKEN", "THROTTLED"} <= answers.keys()
    for name, answer in answers.items():
        body = answer["responseTemplates"]["application/json"].replace("$context.error.messageString", '"said"')
        more = {"retryAfter"} if name == "THROTTLED" else set()
        assert json.loads(body).keys() == {"error", "message", "details", "requestId"} | more
        assert answer["responseParameters"]["gatewayresponse.header.Access-Control-Allow-Origin"] == "'*'"


def test_one_origin_may_be_chosen_for_the_whole_api(templates: Templates) -> None:
    """`CORS_ORIGIN=… make build`: the function hears of it, and API Gateway's own answers name it."""
    sam = finish(templates.sam, templates.functions, "https://admin.example.com")
    assert sam["Resources"]["APIHandler"]["Properties"]["Environment"]["Variables"]["CORS_ORIGIN"] == (
        "https://admin.example.com"
    )
    for answer in sam["Resources"]["RestAPI"]["Properties"]["GatewayResponses"].values():
        assert answer["ResponseParameters"]["Headers"]["Access-Control-Allow-Origin"] == "'https://admin.example.com'"


def test_a_path_variable_has_one_name_on_its_level(templates: Templates) -> None:
    """API Gateway refuses `/campaigns/{uid}` beside `/campaigns/{id}/x`; nothing before it does."""
    names: dict[str, str] = {}
    for path in _of_type(templates, "AWS::ApiGateway::RestApi")["RestAPI"]["Body"]["paths"]:
        parts = path.split("/")
        for depth, part in enumerate(parts):
            if part.startswith("{"):
                level = "/".join("{}" if each.startswith("{") else each for each in parts[:depth])
                assert names.setdefault(level, part) == part, f"{level}/{part} and {level}/{names[level]}"


def test_every_route_of_the_code_is_in_the_template(templates: Templates) -> None:
    paths = _of_type(templates, "AWS::ApiGateway::RestApi")["RestAPI"]["Body"]["paths"]
    deployed = {(path, method.upper()) for path, methods in paths.items() for method in methods}
    declared = {(path, method) for path, methods in app.routes.items() for method in methods}
    assert {pair for pair in deployed if pair[1] != "OPTIONS"} == declared


# ---- a new worker ----


def test_a_function_without_an_entry_is_named_with_what_to_write(tmp_path: Path) -> None:
    said = 'The function send_webhooks has no lambda_timeout and no iam_policy_file: give it an entry in "lambda_fun'
    with pytest.raises(Unbuildable, match=said):
        read_functions(read_config(), "dev", ["api_handler", "send_webhooks"], tmp_path)


def test_a_function_without_a_policy_is_named_with_the_file_to_write(tmp_path: Path) -> None:
    with pytest.raises(Unbuildable, match=r"The function tick has no policy: write .chalice/policy-tick.json"):
        read_functions(read_config(), "dev", ["tick"], tmp_path)


def test_an_entry_without_a_function_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unbuildable, match=r"run_steps in .chalice/config.json is no function of the code"):
        read_functions(read_config(), "dev", ["tick"], tmp_path)


def test_a_stage_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(Unbuildable, match=r"There is no stage test: .* has dev, prod"):
        build_templates(tmp_path, "test")
