"""What must hold after every run, whatever went wrong in it: I1 to I16 of the design."""

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
from tests.faults.provider import Try
from tests.faults.sample_data import HERE
from tests.faults.simulation import World

LOSING = frozenset({Kind.CRASH, Kind.LOST, Kind.REFUSED, Kind.ZOMBIE, Kind.FAST, Kind.SLOW})
#: Behind which a claim may stand on a row with nothing sent.
DEADLY = frozenset({Kind.CRASH, Kind.ZOMBIE, Kind.FAST, Kind.SLOW})
#: A pacing gate's tolerance, and what it rounds.
GRACE = timedelta(milliseconds=260)


def violations(world: World) -> list[str]:
    """Each begins with the invariant that is broken."""
    found = [*world.problems, *(f"no fault of code: {fault}" for fault in world.faults if _is_foul(fault))]
    flows = world.flows()
    rows = {flow.uid: world.rows(flow) for flow in flows}
    every = [row for of in rows.values() for row in of]
    found += [*_accepted_once(world), *_audience(world, flows, rows), *_nothing_open(flows, rows)]
    found += [*_unknown_bounded(world, every), *_after_acks(world), *_gaps(world, every), *_pace(world)]
    found += [*_attempts(world), *_statuses(every), *_channel_fails_nobody(world, every)]
    for flow in flows:
        found += _statistics(world, flow, rows[flow.uid])
    return [*found, *world.scenario.check(world)]


def _is_foul(fault: str) -> bool:
    """Refusals that the harness plants are logged too."""
    return fault.split(" ", maxsplit=1)[0] not in {"RetryLater", "Conflict", "ConditionFailed"}


def _accepted_once(world: World) -> Iterator[str]:
    allowed = 1 + (len(world.board.fired) if world.scenario.resends else 0) + _answers_lost(world)
    for message, times in world.provider.acceptances().items():
        if times > allowed:
            yield f"I1 {message} was accepted {times} times"


def _answers_lost(world: World) -> int:
    """Where the scenario itself loses answers of a channel that resends."""
    if not world.scenario.resends:
        return 0
    return max(
        Counter(each.message for each in world.provider.tries if isinstance(each.verdict, OutcomeUnknown)).values(),
        default=0,
    )


def _audience(world: World, flows: list[Flow], rows: dict[str, list[Execution]]) -> Iterator[str]:
    if len(flows) > world.expected_flows:
        yield f"I2 {len(flows)} flows instead of {world.expected_flows}"
    if len(flows) < world.expected_flows:
        yield f"I3 {len(flows)} flows instead of {world.expected_flows}"
    everybody = {f"c{number}": 1 for number in range(world.scenario.contacts)}
    expected = everybody if world.scenario.walks is None else world.scenario.walks
    for flow in flows:
        uid, walks = flow.uid, Counter(str(row.key.contact) for row in rows[flow.uid])
        for contact in {*walks, *expected}:
            if walks[contact] > expected.get(contact, 0):
                yield f"I2 {contact} is in flow {uid} {walks[contact]} times"
            # Who was not enrolled yet when the flow was cancelled is counted as skipped, without a row.
            if walks[contact] < expected.get(contact, 0) and flow.status is not FlowStatus.CANCELLED:
                yield f"I3 {contact} is in flow {uid} {walks[contact]} times"


def _nothing_open(flows: list[Flow], rows: dict[str, list[Execution]]) -> Iterator[str]:
    for flow in flows:
        if flow.status in {FlowStatus.PAUSED, FlowStatus.ERROR}:
            continue
        for row in rows[flow.uid]:
            if row.is_open:
                place = f"{row.status} at {row.node} (due {row.due})"
                yield f"I3 {row.key.execution_id} is {place} in a flow that is {flow.status}"


def _statistics(world: World, flow: Flow, rows: list[Execution]) -> Iterator[str]:
    """A flow that ended was counted at its end; one that is open is counted now."""
    with world.board.aside():
        if not flow.is_over:
            recount_flow(
                world.bare, Recount(workspace=HERE, flow=flow.uid, pass_id="last"), lambda: timedelta(minutes=1)
            )
            flow = world.bare.catalog.get(HERE, Flow, flow.uid)
        shown = dict(world.bare.statistics.read(HERE, FlowUid(flow.uid), flow.stats_epoch))
    shown.pop("movements", None)
    counted: Counter[str] = Counter()
    for row in rows:
        counted.update(counters_of(row))
    wrong = {
        name: (shown.get(name, 0), counted[name]) for name in {*shown, *counted} if shown.get(name, 0) != counted[name]
    }
    if wrong:
        yield f"I4 flow {flow.uid} ({flow.status}) shows, counted: {dict(sorted(wrong.items())[:4])}"


def _unknown_bounded(world: World, rows: list[Execution]) -> Iterator[str]:
    unknown = sum(result.outcome is MessageOutcome.UNKNOWN for row in rows for result in row.results.values())
    lost = sum(isinstance(each.verdict, OutcomeUnknown) for each in world.provider.tries)
    # A twin, an operator or a wrong clock loses nothing: the claims of the worker beside them are alive.
    at_risk = zip(world.board.fired, world.board.moments, strict=True)
    allowed = sum(claims for fault, claims in at_risk if fault.kind in LOSING) + lost
    if unknown > allowed:
        yield f"I5 {unknown} messages are unknown, {allowed} claims were alive at the faults"
    silent = set(_unknown(rows)) - {each.message for each in world.provider.tries}
    if silent and len(world.board.fired) == 1 and world.board.fired[0].kind not in DEADLY:
        yield f"I5 {sorted(silent)} are unknown, though nobody tried to send them and nobody died"


def _unknown(rows: list[Execution]) -> Iterator[str]:
    for row in rows:
        for node, result in row.results.items():
            if result.outcome is MessageOutcome.UNKNOWN:
                yield str(row.message_uid(node))


def _after_acks(world: World) -> Iterator[str]:
    """I6 and I8; a pause holds up to the resume that follows it."""
    for index, ack in enumerate(world.acks):
        if ack.what == "resume":
            continue
        same = (later for later in world.acks[index + 1 :] if later.flow == ack.flow and later.contact == ack.contact)
        until = next((later.tries for later in same if later.what == "resume"), len(world.provider.tries))
        begun = [each for each in world.provider.tries[ack.tries : until] if _is_meant(each, ack.flow, ack.contact)]
        if len(begun) > ack.in_flight:
            name = "I6" if ack.what == "pause" else "I8"
            yield f"{name} {len(begun)} sends began after an acknowledged {ack.what}, {ack.in_flight} were in flight"


def _is_meant(each: Try, flow: str, contact: str | None) -> bool:
    """What a worker does that has outlived its time limit no Lambda could: those are left to I1."""
    return not each.by_zombie and each.flow == flow and contact in {None, each.contact}


def _skew(world: World) -> timedelta:
    skewed = sum(fault.kind in {Kind.FAST, Kind.SLOW} for fault in world.board.fired)
    return SKEW * skewed


def _gaps(world: World, rows: list[Execution]) -> Iterator[str]:
    """I7: what waits, waits as long as it was told to, also over faults, pauses and resumes.

    From the moment at which the row left the message before; and from the sends themselves, but for those of a worker
    that froze meanwhile: the row may have gone on without it.
    """
    for before, after, least in world.scenario.gaps:
        for row in rows:
            left = next((visit.left for visit in row.path if visit.node == before), None)
            token = str(row.message_uid(NodeId(after)))
            for each in _taken(world, after):
                if left is not None and each.message == token and each.at - left < least - _skew(world) - GRACE:
                    yield f"I7 {each.contact} came to {after} {each.at - left} after its row had left {before}"
    for before, after, least in world.scenario.gaps:
        taken = [each for each in _taken(world, before) if not each.by_zombie]
        firsts = {(each.contact, each.message.rpartition(".")[2]): each.at for each in taken}
        for each in _taken(world, after):
            first = firsts.get((each.contact, each.message.rpartition(".")[2]))
            if first is not None and each.at - first < least - _skew(world) - GRACE:
                yield f"I7 {each.contact} waited only {each.at - first} between {before} and {after}"


def _taken(world: World, node: str) -> list[Try]:
    return [each for each in world.provider.tries if each.node == node and each.is_accepted]


def _pace(world: World) -> Iterator[str]:
    """A worker whose clock is wrong, or who froze in between, keeps its own time."""
    if world.scenario.pace is None or _skew(world) or any(each.by_zombie for each in world.provider.tries):
        return
    for one, two in pairwise(world.provider.tries):
        if two.at - one.at < world.scenario.pace - GRACE:
            yield f"I11 only {two.at - one.at} between two sends"


def _attempts(world: World) -> Iterator[str]:
    most = int(world.scenario.configuration.get("max_retries", 3)) + 1
    used = Counter(
        each.message
        for each in world.provider.tries
        if isinstance(each.verdict, TransientFailure | PermanentFailure | OutcomeUnknown)
    )
    for message, times in used.items():
        # A worker that died with a claim in its hand used an attempt of its own.
        if times > most + (len(world.board.fired) if world.scenario.resends else 0):
            yield f"I13 {message} was tried {times} times"


def _statuses(rows: list[Execution]) -> Iterator[str]:
    for row in rows:
        if row.claim is not None and not row.is_open:
            yield f"I3 {row.key.execution_id} is over and claimed"
        for node in row.receipts:
            if node not in row.results:
                yield f"I14 {row.key.execution_id} has a receipt at {node} and no message"


def _channel_fails_nobody(world: World, rows: list[Execution]) -> Iterator[str]:
    codes = {each.verdict.code for each in world.provider.tries if isinstance(each.verdict, ChannelFailure)}
    for row in rows:
        if row.status is ExecutionStatus.FAILED and row.reason in codes:
            yield f"I10 {row.key.execution_id} failed by the channel's fault"
