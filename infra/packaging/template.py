"""The template: Chalice writes it and merges resources.yaml, this adds what Chalice cannot say, SAM expands it."""

import copy
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.local.resources import load_template
from infra.packaging.config import Function
from infra.packaging.target import RUNTIME, Unbuildable

FUNCTION, API = "AWS::Serverless::Function", "AWS::Serverless::Api"
#: Chalice and SAM want one, although the template is the same in all of them.
REGION = "eu-west-1"
#: Where the code lies is said when the stack is made, so that what was linted is what is deployed.
CODE = {
    "CodeBucket": {"Type": "String", "Description": "The bucket that make deploy has put the zip into."},
    "CodeKey": {"Type": "String", "Description": "The zip, named by its hash: another code is another name."},
}


def generate(project: Path, stage: str) -> tuple[dict[str, Any], Path]:
    """Chalice's template for the project in a folder, with resources.yaml merged; and Chalice's zip."""
    merged, output = project / "resources.json", project / "packaged"
    # Chalice would take YAML as it is, and emit its anchors.
    merged.write_text(json.dumps(load_template()))
    (project / "requirements.txt").write_text("")  # The wheels are ours: Chalice goes on when one is missing.
    command = [sys.executable, "-c", "from chalice.cli import main; main()", "package", "--stage", stage]
    command += ["--template-format", "json", "--merge-template", str(merged), str(output)]
    environment = {**os.environ, "AWS_DEFAULT_REGION": REGION}
    done = subprocess.run(  # noqa: S603 - our own arguments
        command, cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Unbuildable(f"chalice package failed:\n{(done.stderr or done.stdout).strip()}")
    return json.loads((output / "sam.json").read_text()), output / "deployment.zip"


def finish(template: Mapping[str, Any], functions: Mapping[str, Function], origin: str) -> dict[str, Any]:
    """The template with what Chalice cannot say; `functions` is by name, pages of `origin` may call the API."""
    finished: dict[str, Any] = copy.deepcopy(dict(template))
    finished["Parameters"] = {**finished.get("Parameters", {}), **CODE}
    # Without this SAM makes a second stage, named "Stage", beside each.
    finished["Globals"]["Api"] = {"OpenApiVersion": "2.0"}
    by_id = {function.logical_id: function for function in functions.values()}
    resources = finished["Resources"]
    for logical_id, properties in list(_of_type(resources, FUNCTION)):
        function = by_id.get(logical_id)
        if function is None:
            raise Unbuildable(f"Chalice calls a function {logical_id}, which no entry of .chalice/config.json makes")
        properties["Runtime"] = RUNTIME  # Chalice takes the interpreter that runs it.
        properties["CodeUri"] = {"Bucket": {"Ref": "CodeBucket"}, "Key": {"Ref": "CodeKey"}}
        for event in properties.get("Events", {}).values():
            if event["Type"] == "SQS":
                _finish_source(event["Properties"], function)
        resources |= _alarms(logical_id, function)
    _allow(resources, origin)
    return finished


def _allow(resources: Mapping[str, Any], origin: str) -> None:
    """Preflights are Chalice's, which reads the same variable; this is for our answers, and for API Gateway's own."""
    handler = resources["APIHandler"]["Properties"]
    handler.setdefault("Environment", {}).setdefault("Variables", {})["CORS_ORIGIN"] = origin
    for answer in resources["RestAPI"]["Properties"]["GatewayResponses"].values():
        answer["ResponseParameters"]["Headers"]["Access-Control-Allow-Origin"] = f"'{origin}'"


def _of_type(resources: Mapping[str, Any], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, resource["Properties"]) for name, resource in resources.items() if resource["Type"] == kind)


def _finish_source(source: dict[str, Any], function: Function) -> None:
    """Set the response type of SQS triggers. Without it Lambda deletes the failed messages of a batch."""
    source["FunctionResponseTypes"] = ["ReportBatchItemFailures"]
    if function.maximum_concurrency is None:
        raise Unbuildable(
            f'{function.name} reads a queue: give its entry in .chalice/config.json "maximum_concurrency"'
        )
    source["ScalingConfig"] = {"MaximumConcurrency": function.maximum_concurrency}


def _alarms(logical_id: str, function: Function) -> dict[str, Any]:
    said = {
        "Errors": f"{function.name} raised or ran out of time; its messages come again.",
        "Throttles": f"{function.name} was refused a place: raise the account's concurrency.",
    }
    return {
        f"{logical_id}{metric}Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmDescription": description,
                "Namespace": "AWS/Lambda",
                "MetricName": metric,
                "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": logical_id}}],
                "Statistic": "Sum",
                "Period": 300,
                "EvaluationPeriods": 1,
                "ComparisonOperator": "GreaterThanThreshold",
                "Threshold": 0,
                "TreatMissingData": "notBreaching",
                "AlarmActions": [{"Ref": "Alarms"}],
                "OKActions": [{"Ref": "Alarms"}],
            },
        }
        for metric, description in said.items()
    }


def expand(template: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the template to plain CloudFormation, with an API deployment that is named by its content."""
    from samtranslator.translator.transform import transform  # noqa: PLC0415 - takes a second, only builds need it

    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    expanded: dict[str, Any] = transform(copy.deepcopy(dict(template)), {}, _NoManagedPolicies())
    return expanded


class _NoManagedPolicies:
    """SAM asks AWS for the names of managed policies; we use none."""

    def load(self) -> dict[str, str]:
        return {}
