"""`make deploy` and `make destroy`: deploy the output of `make build` to an AWS account, or delete it."""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.core.workspaces.api_key import create_api_key
from chalicelib.core.workspaces.create_workspace import create_workspace
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.workspace import Scope
from chalicelib.settings import read_settings
from chalicelib.wiring import build_ports
from infra.build import OUTPUT
from infra.packaging.stack import DATA_TYPES, ChangeSet, ClientFor, DeploymentFailed, Stack
from infra.packaging.target import LAMBDA, Unbuildable


@dataclass(frozen=True, slots=True)
class Built:
    """Output of `make build` for one stage."""

    stage: str
    zip_path: Path
    code: str
    template: str

    @property
    def declared(self) -> Mapping[str, Any]:
        """Parameters of the template."""
        found: dict[str, Any] = json.loads(self.template)["Parameters"]
        return found


def read_built(stage: str, folder: Path = OUTPUT, target: str = LAMBDA.name) -> Built:
    """Read and check a build. Raises Unbuildable when it is missing, incomplete, changed, or for another target."""
    place = folder / stage
    try:
        manifest = json.loads((place / "manifest.json").read_text())
        template, content = (place / "template.json").read_text(), (place / "deployment.zip").read_bytes()
    except FileNotFoundError as error:
        raise Unbuildable(f"There is nothing to deploy: run make build STAGE={stage}") from error
    if manifest["code"] != hashlib.sha256(content).hexdigest() or manifest["stage"] != stage:
        raise Unbuildable(f"build/{stage} was changed after it was checked: run make build STAGE={stage}")
    if manifest["target"] != target:
        raise Unbuildable(f"build/{stage} was built for {manifest['target']}: run make build STAGE={stage}")
    return Built(stage, place / "deployment.zip", manifest["code"], template)


@dataclass(slots=True)
class Deployment:
    """One stage in one account and region. `confirm` asks the operator a question, `say` prints progress."""

    client_for: ClientFor
    stage: str
    region: str
    confirm: Callable[[str], bool]
    say: Callable[[str], None] = print
    pause: float = 3.0
    stack: Stack = field(init=False)

    def __post_init__(self) -> None:
        self.stack = Stack(f"carillon-{self.stage}", self.client_for, self.pause)

    def deploy(self, built: Built, parameters: Mapping[str, str], new_key: bool = False) -> dict[str, str]:
        """Deploy and return the outputs of the stack. Raises DeploymentFailed on refusal or rollback."""
        bucket = self._ensure_bucket()
        url = self._upload(bucket, built)
        values = {**parameters, "CodeBucket": bucket, "CodeKey": _code_key(built)}
        self._apply(built, url, values, ask=True)
        outputs = self.stack.outputs()
        public = outputs["EndpointURL"].rstrip("/")
        if not self.stack.parameters().get("PublicUrl"):
            # The URL exists only after the first deployment: a reference from function to API would be circular.
            self._apply(built, url, {**values, "PublicUrl": public}, ask=False)
        if self.stage == "prod":
            self.client_for("cloudformation").update_termination_protection(
                EnableTerminationProtection=True, StackName=self.stack.name
            )
        self._ensure_first_key(outputs, new_key)
        self.say(f"API        {public}")
        self.say(f"First key  aws secretsmanager get-secret-value --secret-id {outputs['FirstKeyArn']}")
        return outputs

    def _apply(self, built: Built, url: str, values: Mapping[str, str], ask: bool) -> None:
        tags = {"application": "carillon", "stage": self.stage}
        changes = self.stack.prepare(url, built.declared, values, tags)
        if changes is None:
            self.say(f"{self.stack.name} is as it should be")
            return
        for change in changes.changes:
            self.say(str(change))
        self._check(changes)
        if ask and not self.confirm(f"Change {self.stack.name} in {self.region}?"):
            changes.drop()
            raise DeploymentFailed("Nothing was changed")
        changes.execute()

    def _check(self, changes: ChangeSet) -> None:
        lost = [change.logical_id for change in changes.changes if change.endangers_data]
        if lost:
            changes.drop()
            raise DeploymentFailed(
                f"This would take {', '.join(lost)} with its data out of the stack: nothing was changed"
            )

    def _ensure_bucket(self) -> str:
        """Return the private bucket for code and templates. Refuse a bucket that another account owns."""
        account = self.client_for("sts").get_caller_identity()["Account"]
        s3, name = self.client_for("s3"), f"carillon-deploy-{account}-{self.region}"
        try:
            s3.head_bucket(Bucket=name, ExpectedBucketOwner=account)
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
                raise DeploymentFailed(f"The bucket {name} is not ours: {error}") from error
            where = {"LocationConstraint": self.region}
            s3.create_bucket(
                Bucket=name, **({} if self.region == "us-east-1" else {"CreateBucketConfiguration": where})
            )
            private = dict.fromkeys(
                ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
            )
            s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=private)
        return name

    def _upload(self, bucket: str, built: Built) -> str:
        """Upload the zip and the template, and return the URL of the template.

        Keys contain the hash of the content, so older builds stay available for a rollback.
        """
        s3 = self.client_for("s3")
        s3.put_object(Bucket=bucket, Key=_code_key(built), Body=built.zip_path.read_bytes())
        key = f"{built.stage}/{hashlib.sha256(built.template.encode()).hexdigest()}.json"
        s3.put_object(Bucket=bucket, Key=key, Body=built.template.encode())
        url: str = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
        return url.partition("?")[0]

    def _ensure_first_key(self, outputs: Mapping[str, str], new_key: bool) -> None:
        """Create an admin key on the first deployment or with `new_key`, and store it in Secrets Manager."""
        secrets, arn = self.client_for("secretsmanager"), outputs["FirstKeyArn"]
        found = json.loads(_value_of(secrets, arn) or "{}")
        if found and not new_key:
            return
        handler = self.client_for("lambda").get_function_configuration(FunctionName=outputs["APIHandlerName"])
        ports = build_ports(read_settings(handler["Environment"]["Variables"]), self.client_for)
        if found:
            workspace = found["workspace"]
            _, key = create_api_key(ports, WorkspaceUid(workspace), Scope.ADMIN, "made by make deploy")
        else:
            made, key = create_workspace(ports, "First workspace")
            workspace = made.uid
        secrets.put_secret_value(SecretId=arn, SecretString=json.dumps({"workspace": workspace, "key": key}))

    def destroy(self, with_data: bool) -> dict[str, tuple[str, str]]:
        """Return the retained resources with data: logical id → (type, name). Empty with `with_data`."""
        if self.stack.describe() is None:
            raise DeploymentFailed(f"There is no {self.stack.name} in {self.region}")
        retained = {name: each for name, each in self.stack.physical_ids(DATA_TYPES).items() if name != "FirstKey"}
        question = f"Delete {self.stack.name} in {self.region} {'AND ALL ITS DATA' if with_data else '(tables stay)'}?"
        if not self.confirm(question):
            raise DeploymentFailed("Nothing was changed")
        cloud = self.client_for("cloudformation")
        cloud.update_termination_protection(EnableTerminationProtection=False, StackName=self.stack.name)
        cloud.delete_stack(StackName=self.stack.name)
        if (status := self.stack.await_end(0)) != "DELETE_COMPLETE":
            raise DeploymentFailed("\n".join([f"{self.stack.name}: {status}", *self.stack.faults(0)]))
        for logical_id, (kind, name) in retained.items():
            if with_data:
                self._delete(kind, name)
            self.say(f"{'deleted' if with_data else 'kept'}  {logical_id}  {name}")
        return {} if with_data else retained

    def _delete(self, kind: str, name: str) -> None:
        if kind == "AWS::DynamoDB::Table":
            dynamodb = self.client_for("dynamodb")
            dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
            dynamodb.delete_table(TableName=name)
        elif kind == "AWS::S3::Bucket":
            s3 = self.client_for("s3")
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
                if found := [{"Key": each["Key"]} for each in page.get("Contents", [])]:
                    s3.delete_objects(Bucket=name, Delete={"Objects": found})
            s3.delete_bucket(Bucket=name)
        else:
            self.client_for("secretsmanager").delete_secret(SecretId=name, RecoveryWindowInDays=7)


def _code_key(built: Built) -> str:
    return f"{built.stage}/{built.code}.zip"


def _value_of(secrets: Any, arn: str) -> str:
    try:
        return str(secrets.get_secret_value(SecretId=arn).get("SecretString") or "")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return ""  # The template creates the secret without a value.


def _ask(sentence: str) -> bool:
    return input(f"{sentence} [yes/no] ").strip().lower() == "yes"


def _read_parameters(arguments: list[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in arguments]
    if wrong := [name for name, sign, _ in pairs if not sign]:
        raise DeploymentFailed(f"Parameters are given as Name=value, not {', '.join(wrong)}")
    return {name: value for name, _, value in pairs}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("deploy", "destroy"))
    parser.add_argument("--stage", default="dev")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--with-data", action="store_true", help="destroy: tables, files and secrets too")
    parser.add_argument("--new-key", action="store_true", help="deploy: another admin key for the first workspace")
    parser.add_argument("--parameter", action="append", default=[], help="Name=value, of the template's parameters")
    options = parser.parse_args()
    session = boto3.Session()
    region = session.region_name or ""
    if not region:
        print("No region is set: say it with AWS_DEFAULT_REGION=eu-west-1 or aws configure", file=sys.stderr)
        return 1
    make: Any = session.client
    confirm = (lambda _: True) if options.yes else _ask
    deployment = Deployment(make, options.stage, region, confirm)
    try:
        if options.command == "deploy":
            deployment.deploy(read_built(options.stage), _read_parameters(options.parameter), options.new_key)
        else:
            deployment.destroy(options.with_data)
    except (Unbuildable, ClientError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
