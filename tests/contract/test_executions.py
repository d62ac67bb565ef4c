"""Contract of `ports.Executions`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.aws.executions import DynamoExecutions
from chalicelib.errors import InvalidRequest
from chalicelib.model.execution import (
    DeliveryReceipt,
    Engagement,
    Execution,
    ExecutionStatus,
    MessageOutcome,
    MessageResult,
    NodeVisit,
)
from chalicelib.model.ids import AttemptId, ContactUid, FlowUid, NodeId, WorkspaceUid
from chalicelib.ports import Executions, ExpectClaimedBy, ExpectUnclaimed, Save
from tests.contract.emulators import PLACES, ProvisionedAws
from tests.contract.execution_builders import LEASE, SEND, SHARDS, F, W, claimed, execution_of, free, key_of, settled
from tests.memory.clock import START
from tests.memory.executions import MemoryExecutions


@pytest.fixture(params=[*PLACES, "ministack one by one"])
def executions(request: pytest.FixtureRequest) -> Executions:
    if request.param == "memory":
        return MemoryExecutions()
    aws = ProvisionedAws(request.param.split()[0])
    batched = aws.checks_partiql_conditions and "one by one" not in request.param
    return DynamoExecutions(aws.client("dynamodb"), aws.names["EXECUTIONS_TABLE"], batched=batched)


def save(executions: Executions, execution: Execution, expect: ExpectUnclaimed | ExpectClaimedBy) -> bool:
    """Save together with a second execution, because a single save takes another path. The second is not enrolled."""
    held, of_company = executions.save_many(
        [Save(execution, expect), Save(execution_of("company"), free(execution))], SHARDS
    )
    assert not of_company
    return held


def stored(executions: Executions, contact: str = "c1") -> Execution:
    return executions.find_many([key_of(contact)], SHARDS, strong=True)[key_of(contact)]


def test_a_stored_execution_is_read_back_completely(executions: Executions) -> None:
    failure = MessageResult(MessageOutcome.FAILED, START, reason="bounced", provider_id="")
    full = replace(
        claimed(settled(execution_of("c1")), "a1"),
        due=START + timedelta(days=2),
        waiting=True,
        attempt=3,
        reason="because",
        faults=2,
        single_node=True,
    ).with_result(NodeId("second"), failure)
    odd_exit = NodeVisit(NodeId("split"), "a>b@c-d", START, START)
    full = replace(full, path=(*full.path, odd_exit))
    executions.enrol_many([execution_of("c1"), execution_of("c2")], SHARDS)
    assert save(executions, full, free(execution_of("c1")))
    assert executions.find_many([key_of("c1"), key_of("c2"), key_of("c3")], SHARDS, strong=True) == {
        key_of("c1"): full,
        key_of("c2"): execution_of("c2"),
    }


def test_what_is_no_longer_there_is_removed_by_a_save(executions: Executions) -> None:
    executions.enrol_many([execution_of("c1")], SHARDS)
    full = replace(
        claimed(execution_of("c1"), "a1"), due=START, waiting=True, attempt=1, reason="x", faults=1, single_node=True
    )
    full = replace(full, option=1, answer_lost=True, paid=75)
    assert save(executions, full, free(full))
    assert stored(executions) == full
    assert save(executions, execution_of("c1"), ExpectClaimedBy(AttemptId("a1")))
    assert stored(executions) == execution_of("c1")


def test_a_finished_execution_without_a_node_is_stored(executions: Executions) -> None:
    executions.enrol_many([execution_of("c1")], SHARDS)
    over = replace(execution_of("c1"), node=None).finished(ExecutionStatus.COMPLETED, None, START)
    assert save(executions, over, free(over))
    assert stored(executions) == over


def test_times_are_kept_to_the_millisecond(executions: Executions) -> None:
    moment = START + timedelta(milliseconds=123)
    executions.enrol_many([replace(execution_of("c1"), entered=moment, due=moment)], SHARDS)
    assert (stored(executions).entered, stored(executions).due) == (moment, moment)


def test_only_new_executions_are_enrolled_and_an_execution_that_moved_is_never_reset(executions: Executions) -> None:
    assert executions.enrol_many([execution_of("c1")], SHARDS) == (key_of("c1"),)
    moved = settled(execution_of("c1"))
    assert save(executions, moved, free(execution_of("c1")))
    assert executions.enrol_many([execution_of("c1"), execution_of("c2")], SHARDS) == (key_of("c2"),)
    assert executions.enrol_many([execution_of("c1")], SHARDS) == ()
    assert stored(executions) == moved


def test_more_executions_than_one_call_takes_are_enrolled_and_found(executions: Executions) -> None:
    stored_executions = [execution_of(f"c{number:03}") for number in range(130)]
    assert set(executions.enrol_many(stored_executions, SHARDS)) == {execution.key for execution in stored_executions}
    assert executions.find_many([execution.key for execution in stored_executions], SHARDS, strong=True) == {
        execution.key: execution for execution in stored_executions
    }


def test_nothing_asked_is_nothing_done(executions: Executions) -> None:
    assert executions.enrol_many([], SHARDS) == ()
    assert executions.save_many([], SHARDS) == ()
    assert executions.find_many([], SHARDS, strong=True) == {}
    executions.remove_many([], SHARDS)


def test_of_two_claims_one_holds(executions: Executions) -> None:
    executions.enrol_many([execution_of("c1")], SHARDS)
    assert save(executions, claimed(execution_of("c1"), "a1"), free(execution_of("c1")))
    assert not save(executions, claimed(execution_of("c1"), "a2"), free(execution_of("c1")))
    assert stored(executions).claim == claimed(execution_of("c1"), "a1").claim


def test_an_expired_claim_is_taken_over_and_its_owner_can_settle_no_more(executions: Executions) -> None:
    executions.enrol_many([execution_of("c1")], SHARDS)
    assert save(executions, claimed(execution_of("c1"), "a1"), free(execution_of("c1")))
    just_before, at_its_end = START + LEASE - timedelta(milliseconds=1), START + LEASE
    assert not save(executions, claimed(execution_of("c1"), "a2", at_its_end), free(execution_of("c1"), just_before))
    assert save(executions, claimed(execution_of("c1"), "a2", at_its_end), free(execution_of("c1"), at_its_end))
    assert not save(executions, settled(execution_of("c1")), ExpectClaimedBy(AttemptId("a1")))
    assert save(executions, settled(execution_of("c1")), ExpectClaimedBy(AttemptId("a2")))
    assert stored(executions) == settled(execution_of("c1"))


def test_a_save_from_an_older_or_newer_step_is_refused(executions: Executions) -> None:
    executions.enrol_many([execution_of("c1")], SHARDS)
    moved = settled(execution_of("c1"))
    assert not save(executions, claimed(moved, "a1"), free(moved))
    assert save(executions, moved, free(execution_of("c1")))
    assert not save(executions, claimed(execution_of("c1"), "a1"), free(execution_of("c1")))


@pytest.mark.parametrize("end", [ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.SKIPPED])
def test_an_execution_that_is_over_is_not_claimed(executions: Executions, end: ExecutionStatus) -> None:
    executions.enrol_many([execution_of("c1")], SHARDS)
    over = execution_of("c1").finished(end, None, START)
    assert save(executions, over, free(over))
    assert not save(executions, claimed(over, "a1"), free(over))


def test_an_execution_that_was_never_enrolled_is_not_made_by_a_save(executions: Executions) -> None:
    assert not save(executions, claimed(execution_of("c1"), "a1"), free(execution_of("c1")))
    assert not save(executions, execution_of("c1"), ExpectClaimedBy(AttemptId("a1")))
    assert executions.find_many([key_of("c1")], SHARDS, strong=True) == {}


def test_many_saves_are_answered_one_by_one_in_order(executions: Executions) -> None:
    stored_executions = [execution_of(f"c{number:02}") for number in range(60)]
    executions.enrol_many(stored_executions, SHARDS)
    executions.save_many(
        [Save(claimed(execution, "other"), free(execution)) for execution in stored_executions[::7]], SHARDS
    )
    answers = executions.save_many(
        [Save(claimed(execution, "mine"), free(execution)) for execution in stored_executions], SHARDS
    )
    assert answers == tuple(number % 7 != 0 for number in range(60))
    found = executions.find_many([execution.key for execution in stored_executions], SHARDS, strong=True)
    owners = [found[execution.key].claim for execution in stored_executions]
    assert [owner and owner.by for owner in owners] == ["mine" if held else "other" for held in answers]


def test_claims_and_settles_travel_together(executions: Executions) -> None:
    one, two = execution_of("c1"), execution_of("c2")
    executions.enrol_many([one, two], SHARDS)
    assert save(executions, claimed(one, "a1"), free(one))
    saves = [Save(settled(one), ExpectClaimedBy(AttemptId("a1"))), Save(claimed(two, "a2"), free(two))]
    assert executions.save_many(saves, SHARDS) == (True, True)


def test_the_same_save_again_counts_as_held(executions: Executions) -> None:
    stored_executions = [execution_of("c1"), execution_of("c2")]
    executions.enrol_many(stored_executions, SHARDS)
    claims = [Save(claimed(execution, "a1"), free(execution)) for execution in stored_executions]
    settles = [Save(settled(execution), ExpectClaimedBy(AttemptId("a1"))) for execution in stored_executions]
    for saves in (claims, claims, settles, settles, settles[:1]):
        assert all(executions.save_many(saves, SHARDS))


def test_of_two_workers_with_the_very_same_save_one_has_written_it(executions: Executions) -> None:
    stored_executions = [execution_of("c1"), execution_of("c2")]
    executions.enrol_many(stored_executions, SHARDS)
    mine, theirs = (
        [Save(replace(execution, seq=execution.seq + 1, due=START), free(execution)) for execution in stored_executions]
        for _ in range(2)
    )
    for saves, held in ((mine, True), (theirs, False), (mine, True), (theirs[:1], False)):
        assert set(executions.save_many(saves, SHARDS)) == {held}


def test_a_settle_after_somebody_went_on_is_refused(executions: Executions) -> None:
    executions.enrol_many([execution_of("c1")], SHARDS)
    assert save(executions, claimed(execution_of("c1"), "a1"), free(execution_of("c1")))
    after = settled(execution_of("c1"))
    assert save(executions, after, ExpectClaimedBy(AttemptId("a1")))
    assert save(executions, replace(after, due=START + LEASE), free(after))
    assert not save(executions, after, ExpectClaimedBy(AttemptId("a1")))


def test_receipts_only_climb_and_tell_the_execution_before_and_after(executions: Executions) -> None:
    executions.enrol_many([execution_of("c1")], SHARDS)
    opened, delivered = DeliveryReceipt(Engagement.OPENED, START), DeliveryReceipt(Engagement.DELIVERED, START + LEASE)
    first = executions.put_receipt(key_of("c1"), SHARDS, SEND, delivered)
    assert first == (execution_of("c1"), replace(execution_of("c1"), receipts={SEND: delivered}))
    second = executions.put_receipt(key_of("c1"), SHARDS, SEND, opened)
    assert second == (first[1], replace(execution_of("c1"), receipts={SEND: opened}))
    assert executions.put_receipt(key_of("c1"), SHARDS, SEND, opened) is None
    assert executions.put_receipt(key_of("c1"), SHARDS, SEND, delivered) is None
    assert stored(executions) == second[1]


def test_a_failure_that_may_pass_gives_way_to_a_delivery(executions: Executions) -> None:
    executions.enrol_many([execution_of("c1")], SHARDS)
    soft, delivered = (
        DeliveryReceipt(Engagement.BOUNCED, START, is_soft=True),
        DeliveryReceipt(Engagement.DELIVERED, START),
    )
    changed = executions.put_receipt(key_of("c1"), SHARDS, SEND, soft)
    assert changed
    assert changed[1] == stored(executions)
    assert executions.put_receipt(key_of("c1"), SHARDS, SEND, DeliveryReceipt(Engagement.TIMED_OUT, START)) is None
    assert executions.put_receipt(key_of("c1"), SHARDS, SEND, delivered)
    assert executions.put_receipt(key_of("c1"), SHARDS, SEND, soft) is None
    assert stored(executions).receipts == {SEND: delivered}
    assert executions.put_receipt(key_of("c1"), SHARDS, SEND, replace(soft, is_soft=False))


def test_each_message_has_a_receipt_of_its_own_and_executions_that_are_not_there_have_none(
    executions: Executions,
) -> None:
    executions.enrol_many([execution_of("c1")], SHARDS)
    clicked = DeliveryReceipt(Engagement.CLICKED, START)
    executions.put_receipt(key_of("c1"), SHARDS, SEND, clicked)
    other = DeliveryReceipt(Engagement.SENT, START)
    assert executions.put_receipt(key_of("c1"), SHARDS, NodeId("status"), other)
    assert stored(executions).receipts == {SEND: clicked, NodeId("status"): other}
    assert executions.put_receipt(key_of("c2"), SHARDS, SEND, clicked) is None
    assert executions.find_many([key_of("c2")], SHARDS, strong=True) == {}


def test_receipts_survive_saves_that_do_not_know_them(executions: Executions) -> None:
    executions.enrol_many([execution_of("c1")], SHARDS)
    assert save(executions, claimed(execution_of("c1"), "a1"), free(execution_of("c1")))
    receipt = DeliveryReceipt(Engagement.BOUNCED, START)
    assert executions.put_receipt(key_of("c1"), SHARDS, SEND, receipt)
    settle = Save(settled(execution_of("c1")), ExpectClaimedBy(AttemptId("a1")))
    for _ in range(2):
        assert executions.save_many([settle], SHARDS) == (True,)
    assert stored(executions) == replace(settled(execution_of("c1")), receipts={SEND: receipt})


def test_the_pages_of_all_shards_hold_every_execution_once_in_key_order(executions: Executions) -> None:
    stored_executions = [execution_of(f"c{number:02}") for number in range(40)]
    executions.enrol_many([*stored_executions, execution_of("c01", FlowUid("f2"))], SHARDS)
    seen: list[Execution] = []
    for shard in range(SHARDS):
        cursor, contacts = None, []
        while True:
            page = executions.page(W, F, shard, 4, cursor)
            assert len(page.items) <= 4
            contacts += [execution.key.contact for execution in page.items]
            seen += page.items
            cursor = page.cursor
            if cursor is None:
                break
        assert contacts == sorted(contacts)
        assert contacts
    assert sorted(seen, key=lambda execution: execution.key.contact) == stored_executions


def test_a_page_of_nothing_ends_and_a_made_up_cursor_is_refused(executions: Executions) -> None:
    assert executions.page(W, F, 0, 10, None).items == ()
    with pytest.raises(InvalidRequest):
        executions.page(W, F, 0, 10, "no cursor!")


def test_the_flows_of_a_contact_come_newest_first(executions: Executions) -> None:
    for flow in ("f2", "f1", "f3"):
        executions.enrol_many([execution_of("c1", FlowUid(flow)), execution_of("c2", FlowUid(flow))], SHARDS)
    assert executions.find_flows(W, ContactUid("c1")) == ("f3", "f2", "f1")
    assert executions.find_flows(WorkspaceUid("w2"), ContactUid("c1")) == ()


def test_removing_executions_twice_is_harmless(executions: Executions) -> None:
    stored_executions = [execution_of(f"c{number:02}") for number in range(30)]
    executions.enrol_many(stored_executions, SHARDS)
    for _ in range(2):
        executions.remove_many([execution.key for execution in stored_executions[1:]], SHARDS)
    assert executions.find_many([execution.key for execution in stored_executions], SHARDS, strong=True) == {
        stored_executions[0].key: stored_executions[0]
    }
