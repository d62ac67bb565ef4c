"""A CloudFormation stack. Change sets are shown before they are executed."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from infra.packaging.target import Unbuildable

#: A service's name → its boto3 client.
ClientFor = Callable[[str], Any]
#: What holds data: it may be added, not replaced or taken away by an update.
DATA_TYPES = frozenset({"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret"})
#: The longest thing that CloudFormation does for us: tables with indexes, one after the other.
PATIENCE_SECONDS = 1800
_SIGNS = {"Add": "+", "Modify": "~", "Remove": "-", "Import": ">", "Dynamic": "~"}
_FAILURES = ("FAILED", "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "DELETE_COMPLETE")


class DeploymentFailed(Unbuildable):
    """The deployment failed or was refused. The previous state is unchanged."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a change set."""

    action: str
    logical_id: str
    kind: str
    replaces: bool

    @property
    def endangers_data(self) -> bool:
        """True if the change deletes stored data."""
        return self.kind in DATA_TYPES and (self.replaces or self.action == "Remove") and self.logical_id != "FirstKey"

    def __str__(self) -> str:
        return f"  {_SIGNS.get(self.action, '?')} {self.logical_id} ({self.kind}){' REPLACED' if self.replaces else ''}"


@dataclass(slots=True)
class Stack:
    """The stack of one stage. `pause` is seconds between looks."""

    name: str
    client_for: ClientFor
    pause: float = 3.0
    sleep: Callable[[float], None] = field(default=time.sleep)

    @property
    def _cloud(self) -> Any:
        return self.client_for("cloudformation")

    def describe(self) -> dict[str, Any] | None:
        """Describe the stack. None if it does not exist."""
        try:
            found: dict[str, Any] = self._cloud.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            return None
        return found

    def outputs(self) -> dict[str, str]:
        """Return the outputs of the stack."""
        return {each["OutputKey"]: each["OutputValue"] for each in (self.describe() or {}).get("Outputs", [])}

    def parameters(self) -> dict[str, str]:
        """Return the parameter values of the last deployment."""
        found = (self.describe() or {}).get("Parameters", [])
        return {each["ParameterKey"]: each.get("ParameterValue", "") for each in found}

    def prepare(
        self, template_url: str, declared: Mapping[str, Any], given: Mapping[str, str], tags: Mapping[str, str]
    ) -> "ChangeSet | None":
        """A change set to look at; None when there is nothing to change. DeploymentFailed when it cannot be made."""
        stack = self.describe()
        status = stack["StackStatus"] if stack else "REVIEW_IN_PROGRESS"
        if status == "ROLLBACK_COMPLETE":
            raise DeploymentFailed(f"The first deployment of {self.name} failed: make destroy, then deploy again")
        if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            raise DeploymentFailed(f"{self.name} is being changed already ({status})")
        is_new = status == "REVIEW_IN_PROGRESS"
        name = f"carillon-{int(time.time() * 1000)}"
        self._cloud.create_change_set(
            StackName=self.name,
            ChangeSetName=name,
            ChangeSetType="CREATE" if is_new else "UPDATE",
            TemplateURL=template_url,
            Parameters=list(_parameters(declared, given, {} if is_new else self.parameters())),
            Capabilities=["CAPABILITY_IAM"],
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            OnStackFailure="DELETE" if is_new else "ROLLBACK",
        )
        return self._await_change_set(ChangeSet(self, name, is_new, []))

    def _await_change_set(self, prepared: "ChangeSet") -> "ChangeSet | None":
        named = {"StackName": self.name, "ChangeSetName": prepared.name}
        for _ in self._looks():
            found = self._cloud.describe_change_set(**named)
            if found["Status"] == "CREATE_COMPLETE":
                prepared.changes = list(self._changes(named))
                return prepared
            if found["Status"] == "FAILED":
                self._cloud.delete_change_set(**named)
                reason = str(found.get("StatusReason", ""))
                if "didn't contain changes" in reason or "No updates are to be performed" in reason:
                    return None
                raise DeploymentFailed(f"CloudFormation refuses the template: {reason}")
        raise DeploymentFailed("The change set was not ready in time")

    def _changes(self, named: Mapping[str, str]) -> Iterator[Change]:
        for page in self._cloud.get_paginator("describe_change_set").paginate(**named):
            for each in page["Changes"]:
                found = each["ResourceChange"]
                replaces = found.get("Replacement", "False") in {"True", "Conditional"}
                yield Change(found["Action"], found["LogicalResourceId"], found["ResourceType"], replaces)

    def await_end(self, since: float) -> str:
        """The status at the end of what is under way; DELETE_COMPLETE also for a stack that is gone."""
        for _ in self._looks():
            stack = self.describe()
            status = stack["StackStatus"] if stack else "DELETE_COMPLETE"
            if not status.endswith("_IN_PROGRESS"):
                return str(status)
        raise DeploymentFailed(f"{self.name} was not done after {time.time() - since:.0f} s: look into CloudFormation")

    def faults(self, since: float) -> list[str]:
        """Return the reasons of failed resources, oldest first."""
        found = []
        for page in self._cloud.get_paginator("describe_stack_events").paginate(StackName=self.name):
            for event in page["StackEvents"]:
                if event["Timestamp"].timestamp() >= since - 1 and event["ResourceStatus"].endswith("_FAILED"):
                    found.append(f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}")
        return found[::-1]

    def physical_ids(self, kinds: frozenset[str]) -> dict[str, tuple[str, str]]:
        """Return the resources of the given types: logical id → (type, name)."""
        pages = self._cloud.get_paginator("list_stack_resources").paginate(StackName=self.name)
        every = [each for page in pages for each in page["StackResourceSummaries"]]
        return {
            each["LogicalResourceId"]: (each["ResourceType"], each["PhysicalResourceId"])
            for each in every
            if each["ResourceType"] in kinds and each.get("PhysicalResourceId")
        }

    def _looks(self) -> Iterator[None]:
        for _ in range(int(PATIENCE_SECONDS / self.pause)):
            yield
            self.sleep(self.pause)


@dataclass(slots=True)
class ChangeSet:
    """What would be done."""

    stack: Stack
    name: str
    is_new: bool
    changes: list[Change]

    def execute(self) -> None:
        """Do it. DeploymentFailed when CloudFormation went back to what was before, with what it says of the reason."""
        began = time.time()
        named = {"StackName": self.stack.name, "ChangeSetName": self.name}
        self.stack.client_for("cloudformation").execute_change_set(**named)
        status = self.stack.await_end(began)
        if status.endswith(_FAILURES):
            # A stack whose creation failed is deleted. Its events are available only by its id.
            reasons = self.stack.faults(began) if status != "DELETE_COMPLETE" else []
            raise DeploymentFailed("\n".join([f"{self.stack.name}: {status}. It is as it was before.", *reasons]))

    def drop(self) -> None:
        """Delete the change set, and the empty stack that it created."""
        cloud = self.stack.client_for("cloudformation")
        cloud.delete_change_set(StackName=self.stack.name, ChangeSetName=self.name)
        if self.is_new:
            cloud.delete_stack(StackName=self.stack.name)


def _parameters(
    declared: Mapping[str, Any], given: Mapping[str, str], before: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Return the given value, or the previous one, or the template's default."""
    if strange := sorted(given.keys() - declared.keys()):
        raise DeploymentFailed(
            f"The template has no parameter {', '.join(strange)}; it has {', '.join(sorted(declared))}"
        )
    for name in declared:
        if name in given:
            yield {"ParameterKey": name, "ParameterValue": given[name]}
        elif name in before:
            yield {"ParameterKey": name, "UsePreviousValue": True}
