"""DynamoDB items of executions: native types, compact, readable.

Times are in milliseconds; empty values are omitted.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from pydantic_core import from_json, to_json

from chalicelib.aws._dynamodb import Item
from chalicelib.aws.execution_keys import contact_key, execution_key, from_milliseconds, to_milliseconds
from chalicelib.model.execution import (
    Claim,
    DeliveryReceipt,
    Engagement,
    Execution,
    ExecutionStatus,
    MessageOutcome,
    MessageResult,
    NodeVisit,
    TriggeringEvent,
    parse_execution_id,
)
from chalicelib.model.ids import AttemptId, FlowUid, NodeId, WorkspaceUid

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Fields: TypeAlias = "dict[str, AttributeValueTypeDef]"

#: Cannot occur in user text, because the API refuses control characters.
_SEPARATOR = "\x1f"
#: The attributes that a save writes. All are always present, so that one statement fits every execution without a
#: REMOVE. Receipts are not among them: `put_receipt` writes them separately.
STATE = ("status", "seq", "lease", "claim", "walk")


def encode_state(execution: Execution, mark: str = "") -> Fields:
    """Encode an execution without its key and receipts.

    Attributes used in conditions are separate; the rest is in the map `walk`. `lease` is the end of the claim, or 0
    without a claim, so that one comparison finds a valid claim. A condition with OR would keep ministack, and perhaps
    other implementations of PartiQL, from finding the key in a statement. `mark` is the mark of the save.
    """
    claim = execution.claim
    return {
        "status": {"S": execution.status.value},
        "seq": {"N": str(execution.seq)},
        "lease": {"N": str(to_milliseconds(claim.until)) if claim else "0"},
        "claim": {"M": _encode_claim(claim) if claim else {}},
        "walk": {"M": {**_encode_progress(execution), **({"mark": {"S": mark}} if mark else {})}},
    }


def _encode_claim(claim: Claim) -> Fields:
    cost: Fields = {"cost": {"N": str(claim.cost)}} if claim.cost else {}
    return {"by": {"S": claim.by}, "node": {"S": claim.node}, **cost}


def _encode_progress(execution: Execution) -> Fields:
    fields: Fields = {
        "version": {"N": str(execution.version)},
        "created": {"N": str(to_milliseconds(execution.created))},
        "updated": {"N": str(to_milliseconds(execution.updated))},
        "entered": {"N": str(to_milliseconds(execution.entered))},
    }
    if execution.node is not None:
        fields["node"] = {"S": execution.node}
    if execution.due is not None:
        fields["due"] = {"N": str(to_milliseconds(execution.due))}
    if execution.results:
        fields["results"] = {"M": {node: {"M": _encode_result(result)} for node, result in execution.results.items()}}
    if execution.path:
        fields["path"] = {"L": [{"S": _encode_visit(visit)} for visit in execution.path]}
    _encode_exceptions(execution, fields)
    return fields


def _encode_exceptions(execution: Execution, fields: Fields) -> None:
    """Encode the values that most executions do not have."""
    if execution.reason is not None:
        fields["reason"] = {"S": execution.reason}
    if execution.attempt:
        fields["attempt"] = {"N": str(execution.attempt)}
    if execution.faults:
        fields["faults"] = {"N": str(execution.faults)}
    if execution.waiting:
        fields["asleep"] = {"BOOL": True}
    if execution.single_node:
        fields["only"] = {"BOOL": True}
    _encode_option(execution, fields)
    if execution.cause:
        properties = to_json(execution.cause.properties).decode()
        fields["cause"] = {"M": {"event": {"S": execution.cause.event}, "properties": {"S": properties}}}


def _encode_option(execution: Execution, fields: Fields) -> None:
    if execution.option:
        fields["offer"] = {"N": str(execution.option)}
    if execution.answer_lost:
        fields["unsure"] = {"BOOL": True}
    if execution.paid:
        fields["paid"] = {"N": str(execution.paid)}


def encode_execution(execution: Execution, shards: int) -> Fields:
    """Encode a whole execution for its enrolment."""
    key = execution.key
    return {
        **execution_key(key, shards),
        "contactKey": {"S": contact_key(key.workspace, key.contact)},
        "flow": {"S": key.flow},
        "receipts": {"M": {node: {"M": encode_receipt(receipt)} for node, receipt in execution.receipts.items()}},
        **encode_state(execution),
    }


def encode_receipt(receipt: DeliveryReceipt) -> Fields:
    """Encode a receipt with its rank, which conditions compare."""
    entry: Fields = {
        "e": {"S": receipt.engagement.value},
        "at": {"N": str(to_milliseconds(receipt.at))},
        "rank": {"N": str(receipt.rank)},
    }
    return {**entry, "soft": {"BOOL": True}} if receipt.is_soft else entry


def holds_state(item: Item, fields: Mapping[str, "AttributeValueTypeDef"]) -> bool:
    """Report whether the stored execution, except its receipts, equals the state of a save."""
    return all(item.get(name) == fields.get(name) for name in STATE)


def decode_execution(item: Item) -> Execution:
    """Parse an execution. KeyError for another item."""
    progress = item["walk"]["M"]
    return Execution(
        key=parse_execution_id(
            WorkspaceUid(item["pk"]["S"].partition("#")[0]), FlowUid(item["flow"]["S"]), item["sk"]["S"]
        ),
        status=ExecutionStatus(item["status"]["S"]),
        seq=int(item["seq"]["N"]),
        node=NodeId(progress["node"]["S"]) if "node" in progress else None,
        version=int(progress["version"]["N"]),
        created=from_milliseconds(int(progress["created"]["N"])),
        updated=from_milliseconds(int(progress["updated"]["N"])),
        entered=from_milliseconds(int(progress["entered"]["N"])),
        due=from_milliseconds(int(progress["due"]["N"])) if "due" in progress else None,
        waiting="asleep" in progress,
        attempt=_number(progress, "attempt"),
        claim=_decode_claim(item),
        results={NodeId(node): _decode_result(value["M"]) for node, value in _map(progress, "results").items()},
        receipts={NodeId(node): decode_receipt(value["M"]) for node, value in item["receipts"]["M"].items()},
        path=tuple(_decode_visit(entry["S"]) for entry in progress["path"]["L"]) if "path" in progress else (),
        reason=progress["reason"]["S"] if "reason" in progress else None,
        option=_number(progress, "offer"),
        answer_lost="unsure" in progress,
        paid=_number(progress, "paid"),
        faults=_number(progress, "faults"),
        single_node="only" in progress,
        cause=_decode_cause(progress["cause"]["M"]) if "cause" in progress else None,
    )


def decode_receipt(entry: Item) -> DeliveryReceipt:
    """Parse the receipt of one message."""
    return DeliveryReceipt(
        Engagement(entry["e"]["S"]), from_milliseconds(int(entry["at"]["N"])), is_soft="soft" in entry
    )


def _number(item: Item, name: str) -> int:
    return int(item[name]["N"]) if name in item else 0


def _map(item: Item, name: str) -> Item:
    return item[name]["M"] if name in item else {}


def _decode_claim(item: Item) -> Claim | None:
    entry = item["claim"]["M"]
    if not entry:
        return None
    until = from_milliseconds(int(item["lease"]["N"]))
    return Claim(AttemptId(entry["by"]["S"]), until, NodeId(entry["node"]["S"]), _number(entry, "cost"))


def _decode_cause(entry: Item) -> TriggeringEvent:
    return TriggeringEvent(entry["event"]["S"], from_json(entry["properties"]["S"]))


def _encode_result(result: MessageResult) -> Fields:
    entry: Fields = {"o": {"S": result.outcome.value}, "at": {"N": str(to_milliseconds(result.at))}}
    if result.attempts != 1:
        entry["n"] = {"N": str(result.attempts)}
    if result.channel:
        entry["ch"] = {"S": result.channel}
    if result.reason is not None:
        entry["r"] = {"S": result.reason}
    if result.provider_id is not None:
        entry["p"] = {"S": result.provider_id}
    if result.cost:
        entry["c"] = {"N": str(result.cost)}
    if result.option:
        entry["f"] = {"N": str(result.option)}
    return entry


def _decode_result(entry: Item) -> MessageResult:
    return MessageResult(
        outcome=MessageOutcome(entry["o"]["S"]),
        at=from_milliseconds(int(entry["at"]["N"])),
        attempts=int(entry["n"]["N"]) if "n" in entry else 1,
        channel=entry["ch"]["S"] if "ch" in entry else "",
        reason=entry["r"]["S"] if "r" in entry else None,
        provider_id=entry["p"]["S"] if "p" in entry else None,
        cost=_number(entry, "c"),
        option=_number(entry, "f"),
    )


def _encode_visit(visit: NodeVisit) -> str:
    """Encode a visit as `node>exit@entered-left`, plus the deciding comparison after a unit separator.

    A node id contains neither > nor @.
    """
    why = f"{_SEPARATOR}{visit.why}" if visit.why else ""
    return f"{visit.node}>{visit.exit}@{to_milliseconds(visit.entered)}-{to_milliseconds(visit.left)}{why}"


def _decode_visit(entry: str) -> NodeVisit:
    text, _, why = entry.partition(_SEPARATOR)
    way, _, times = text.rpartition("@")
    node, _, exit_name = way.partition(">")
    entered, _, left = times.partition("-")
    return NodeVisit(NodeId(node), exit_name, from_milliseconds(int(entered)), from_milliseconds(int(left)), why)
