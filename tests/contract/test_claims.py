"""Contract of `ports.Executions` for expired claims."""

from chalicelib.ports import Executions, ExpectUnclaimed
from tests.contract.execution_builders import LEASE, SHARDS, claimed, execution_of
from tests.contract.test_executions import executions, save, stored
from tests.memory.clock import START

__all__ = ["executions"]


def test_a_claim_that_the_execution_did_not_show_is_in_the_way_even_when_it_has_run_out(executions: Executions) -> None:
    executions.enrol_many([execution_of("c1")], SHARDS)
    seen, much_later = execution_of("c1"), START + 10 * LEASE
    assert save(executions, claimed(seen, "a1"), ExpectUnclaimed.as_seen(seen, START))
    assert not save(executions, claimed(seen, "a2", much_later), ExpectUnclaimed.as_seen(seen, much_later))
    shown = ExpectUnclaimed.as_seen(stored(executions), much_later)
    assert save(executions, claimed(seen, "a2", much_later), shown)
