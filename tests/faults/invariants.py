"""Invariants I1 to I16 of the design. They hold after every run, with every fault plan."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from chalicelib.core.flows.progress import counters_of
from chalicelib.core.reconciliation.recount_flow import recount_flow
from chalicelib.model.execution import Execution, ExecutionStatus, MessageOutcome
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import FlowUid, NodeId
from chalicelib.model.message import ChannelFailure, OutcomeUnknown, PermanentFailure, TransientFailure
from chalicelib.model.queue_messages import Recount
from tests.faults.injector import SKEW
from tests.faults.plan import Kind
from tests.faults.provider import Attempt
from tests.faults.sample_data import HERE
from tests.faults.simulation import Ack, World

LOSING = frozenset({Kind.CRASH, Kind.LOST, Kind.REFUSED, Kind.ZOMBIE, Kind.FAST, Kind.SLOW})
#: Faults that can leave a claim on an execution although nothing was sent.
DEADLY = frozenset({Kind.CRASH, Kind.ZOMBIE, Kind.FAST, Kind.SLOW})
#: Tolerance of pacing and its rounding.
GRACE = timedelta(milliseconds=260)


def violations(world: World) -> list[str]:
    """Return one text for each violation; it begins with the broken invariant."""
    found = [*world.problems, *(f"error in the code: {fault}" for fault in world.faults if _is_code_error(fault))]
    flows = world.flows()
    executions = {flow.uid: world.executions(flow) for flow in flows}
    every = [execution for of_flow in executions.values() for execution in of_flow]
    found += [*_accepted_once(world), *_audience(world, flows, executions), *_nothing_open(flows, executions)]
    found += [*_unknown_bounded(world, every), *_after_acks(world), *_gaps(world, every), *_pace(world)]
    found += [*_attempts(world), *_statuses(every), *_no_contact_failed_by_channel(world, every)]
    for flow in flows:
        found += _statistics(world, flow, executions[flow.uid])
    return [*found, *world.scenario.check(world)]


def _is_code_error(fault: str) -> bool:
    """Return whether a logged error is not one that the harness injects."""
    return fault.split(" ", maxsplit=1)[0] not in {"RetryLater", "Conflict", "ConditionFailed"}


def _accepted_once(world: World) -> Iterator[str]:
    allowed = 1 + (len(world.injector.injected) if world.scenario.resends else 0) + _answers_lost(world)
    for message, times in world.provider.acceptances().items():
        if times > allowed:
            yield f"I1 {message} was accepted {times} times"


def _answers_lost(world: World) -> int:
    """Return how many responses the scenario itself loses for one message of a channel that resends."""
    if not world.scenario.resends:
        return 0
    return max(
        Counter(each.message for each in world.provider.attempts if isinstance(each.result, OutcomeUnknown)).values(),
        default=0,
    )


def _audience(world: World, flows: list[Flow], executions: dict[str, list[Execution]]) -> Iterator[str]:
    if len(flows) > world.expected_flows:
        yield f"I2 {len(flows)} flows instead of {world.expected_flows}"
    if len(flows) < world.expected_flows:
        yield f"I3 {len(flows)} flows instead of {world.expected_flows}"
    every_contact_once = {f"c{number}": 1 for number in range(world.scenario.contacts)}
    expected = every_contact_once if world.scenario.enrolled is None else world.scenario.enrolled
    for flow in flows:
        uid, enrolled = flow.uid, Counter(str(execution.key.contact) for execution in executions[flow.uid])
        for contact in {*enrolled, *expected}:
            if enrolled[contact] > expected.get(contact, 0):
                yield f"I2 {contact} is in flow {uid} {enrolled[contact]} times"
            # A cancelled flow counts contacts that were not enrolled yet as skipped, without an execution.
            if enrolled[contact] < expected.get(contact, 0) and flow.status is not FlowStatus.CANCELLED:
                yield f"I3 {contact} is in flow {uid} {enrolled[contact]} times"


def _nothing_open(flows: list[Flow], executions: dict[str, list[Execution]]) -> Iterator[str]:
    for flow in flows:
        if flow.status in {FlowStatus.PAUSED, FlowStatus.ERROR}:
            continue
        for execution in executions[flow.uid]:
            if execution.is_open:
                state = f"{execution.status} at {execution.node} (due {execution.due})"
                yield f"I3 {execution.key.execution_id} is {state} in a flow that is {flow.status}"


def _statistics(world: World, flow: Flow, executions: list[Execution]) -> Iterator[str]:
    """Compare the statistics of a flow with its executions; a flow that has not ended is recounted first."""
    with world.injector.uncounted():
        if not flow.is_over:
            recount_flow(
                world.direct, Recount(workspace=HERE, flow=flow.uid, pass_id="last"), lambda: timedelta(minutes=1)
            )
            flow = world.direct.catalog.get(HERE, Flow, flow.uid)
        reported = dict(world.direct.statistics.read(HERE, FlowUid(flow.uid), flow.stats_epoch))
    reported.pop("movements", None)
    counted: Counter[str] = Counter()
    for execution in executions:
        counted.update(counters_of(execution))
    wrong = {
        name: (reported.get(name, 0), counted[name])
        for name in {*reported, *counted}
        if reported.get(name, 0) != counted[name]
    }
    if wrong:
        yield f"I4 flow {flow.uid} ({flow.status}) reported, counted: {dict(sorted(wrong.items())[:4])}"


def _unknown_bounded(world: World, executions: list[Execution]) -> Iterator[str]:
    unknown = sum(
        result.outcome is MessageOutcome.UNKNOWN for execution in executions for result in execution.results.values()
    )
    lost = sum(isinstance(each.result, OutcomeUnknown) for each in world.provider.attempts)
    # A twin or an operator loses no claim: the worker that holds the claims lives on.
    at_risk = zip(world.injector.injected, world.injector.claims_at_faults, strict=True)
    allowed = sum(claims for fault, claims in at_risk if fault.kind in LOSING) + lost
    if unknown > allowed:
        yield f"I5 {unknown} messages are unknown, {allowed} claims were alive at the faults"
    silent = set(_unknown(executions)) - {each.message for each in world.provider.attempts}
    if silent and len(world.injector.injected) == 1 and world.injector.injected[0].kind not in DEADLY:
        yield f"I5 {sorted(silent)} are unknown, although no worker tried to send them and no worker died"


def _unknown(executions: list[Execution]) -> Iterator[str]:
    for execution in executions:
        for node, result in execution.results.items():
            if result.outcome is MessageOutcome.UNKNOWN:
                yield str(execution.message_uid(node))


def _after_acks(world: World) -> Iterator[str]:
    """Check I6 and I8: no send begins after an acknowledged pause (until its resume), cancel, opt-out or erasure."""
    for index, ack in enumerate(world.acks):
        if ack.action == "resume":
            continue
        same = (later for later in world.acks[index + 1 :] if later.flow == ack.flow and later.contact == ack.contact)
        until = next((later.attempts for later in same if later.action == "resume"), len(world.provider.attempts))
        begun = [each for each in world.provider.attempts[ack.attempts : until] if _concerns(each, ack)]
        if len(begun) > ack.in_flight:
            name = "I6" if ack.action == "pause" else "I8"
            yield f"{name} {len(begun)} sends began after an acknowledged {ack.action}, {ack.in_flight} were in flight"


def _concerns(each: Attempt, ack: Ack) -> bool:
    """Return whether an acknowledgement forbids the attempt.

    No Lambda outlives its time limit as a zombie does, so I1 alone covers the attempts of zombies.
    """
    flow, contact = ack.flow, ack.contact
    return not each.from_zombie and each.flow == flow and contact in {None, each.contact}


def _skew(world: World) -> timedelta:
    skewed = sum(fault.kind in {Kind.FAST, Kind.SLOW} for fault in world.injector.injected)
    return SKEW * skewed


def _gaps(world: World, executions: list[Execution]) -> Iterator[str]:
    """Check I7: no wait is shorter than configured, also across faults, pauses and resumes.

    A wait is measured from the time at which the execution left the previous node, and between the two sends. Sends
    of a zombie are not measured, because the execution may have moved on without it.
    """
    for before, after, least in world.scenario.gaps:
        for execution in executions:
            left = next((visit.left for visit in execution.path if visit.node == before), None)
            token = str(execution.message_uid(NodeId(after)))
            for each in _taken(world, after):
                if left is not None and each.message == token and each.at - left < least - _skew(world) - GRACE:
                    yield f"I7 {each.contact} came to {after} {each.at - left} after its execution had left {before}"
    for before, after, least in world.scenario.gaps:
        taken = [each for each in _taken(world, before) if not each.from_zombie]
        firsts = {(each.contact, each.message.rpartition(".")[2]): each.at for each in taken}
        for each in _taken(world, after):
            first = firsts.get((each.contact, each.message.rpartition(".")[2]))
            if first is not None and each.at - first < least - _skew(world) - GRACE:
                yield f"I7 {each.contact} waited only {each.at - first} between {before} and {after}"


def _taken(world: World, node: str) -> list[Attempt]:
    return [each for each in world.provider.attempts if each.node == node and each.is_accepted]


def _pace(world: World) -> Iterator[str]:
    """Check I11. Runs with a wrong clock or a zombie are excluded, because their workers misjudge the time."""
    if world.scenario.pace is None or _skew(world) or any(each.from_zombie for each in world.provider.attempts):
        return
    for one, two in pairwise(world.provider.attempts):
        if two.at - one.at < world.scenario.pace - GRACE:
            yield f"I11 only {two.at - one.at} between two sends"


def _attempts(world: World) -> Iterator[str]:
    most = int(world.scenario.configuration.get("max_retries", 3)) + 1
    used = Counter(
        each.message
        for each in world.provider.attempts
        if isinstance(each.result, TransientFailure | PermanentFailure | OutcomeUnknown)
    )
    for message, times in used.items():
        # A worker that died with a claim used an attempt too.
        if times > most + (len(world.injector.injected) if world.scenario.resends else 0):
            yield f"I13 {message} was tried {times} times"


def _statuses(executions: list[Execution]) -> Iterator[str]:
    for execution in executions:
        if execution.claim is not None and not execution.is_open:
            yield f"I3 {execution.key.execution_id} is over and claimed"
        for node in execution.receipts:
            if node not in execution.results:
                yield f"I14 {execution.key.execution_id} has a receipt at {node} and no message"


def _no_contact_failed_by_channel(world: World, executions: list[Execution]) -> Iterator[str]:
    codes = {each.result.code for each in world.provider.attempts if isinstance(each.result, ChannelFailure)}
    for execution in executions:
        if execution.status is ExecutionStatus.FAILED and execution.reason in codes:
            yield f"I10 {execution.key.execution_id} failed because of a channel failure"
