"""Random sequences of API calls, deliveries, time and faults break no invariant."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from chalicelib.core.workspaces.api_key import create_api_key
from chalicelib.model.workspace import Scope
from tests.faults import operators as do
from tests.faults.backends import MemoryBackend
from tests.faults.injector import ProcessDied
from tests.faults.invariants import violations
from tests.faults.plan import Kind
from tests.faults.sample_data import HERE
from tests.faults.scenarios import BY_NAME
from tests.faults.simulation import open_world
from tests.integration.conftest import Api

SCENARIO = replace(BY_NAME["wait"], name="machine", contacts=3, script=())
CONTACT = st.integers(0, SCENARIO.contacts - 1)
FAULTS = st.sampled_from([Kind.CRASH, Kind.LOST, Kind.REFUSED, Kind.TWIN, Kind.ZOMBIE, Kind.DROPPED, Kind.DOUBLED])


class Campaigns(RuleBasedStateMachine):
    """The rules are calls of the API, deliveries, time and faults."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        backend = self.stack.enter_context(MemoryBackend.new())
        self.world = self.stack.enter_context(open_world(SCENARIO, (), backend))
        self.api = Api(None, HERE)
        self.touched: set[int] = set()

    @initialize()
    def open(self) -> None:
        self.api.key = create_api_key(self.world.direct, HERE, Scope.ADMIN)[1]

    def ask(self, method: str, url: str, body: object = None) -> int:
        """Call the API and return the status of the response, or 0 when the process died before it."""
        with suppress(ProcessDied), self.world.injector.invocation("api", lambda: None):
            return self.api.call(method, url, body).status
        return 0

    @rule()
    def launch(self) -> None:
        assert self.ask("POST", "/v1/campaigns/machine/launch", {"channelUid": "console"}) in {0, 202, 409, 422, 503}

    @precondition(lambda self: self.world.flows())
    @rule(status=st.sampled_from(["paused", "running", "cancelled"]))
    def move(self, status: str) -> None:
        flow = self.world.flows()[-1].uid
        answer = self.ask("PATCH", f"/v1/flows/{flow}", {"status": status})
        assert answer in {0, 200, 409, 503}
        if answer == 200:
            self.world.acknowledge({"paused": "pause", "running": "resume", "cancelled": "cancel"}[status], flow)

    @precondition(lambda self: self.world.flows())
    @rule(number=CONTACT, erase=st.booleans())
    def withdraw(self, number: int, erase: bool) -> None:
        url = f"/v1/contacts/c{number}"
        answer = self.ask("DELETE", url) if erase else self.ask("PATCH", url, {"status": "UNSUBSCRIBED"})
        assert answer in {0, 200, 404, 503}
        if answer == 200:
            for flow in self.world.flows():
                self.world.acknowledge("withdraw", flow.uid, f"c{number}")

    @precondition(lambda self: self.world.flows())
    @rule()
    def recount(self) -> None:
        assert self.ask("POST", f"/v1/flows/{self.world.flows()[-1].uid}/recount") in {0, 200, 503}

    @rule(kind=FAULTS, ahead=st.integers(1, 25))
    def plan_a_fault(self, kind: Kind, ahead: int) -> None:
        self.world.injector.plan[len(self.world.injector.calls) + ahead] = kind

    @rule(times=st.integers(1, 5))
    def deliver(self, times: int) -> None:
        for _ in range(times):
            self.world.deliver_next()

    @rule(seconds=st.sampled_from([1, 20, 50, 200, 900]))
    def wait(self, seconds: int) -> None:
        self.world.backend.move(timedelta(seconds=seconds))

    @rule()
    def tick(self) -> None:
        self.world.tick()

    def teardown(self) -> None:
        """Run to the end without further faults, with paused flows resumed, and check the invariants."""
        self.world.injector.plan.clear()
        with _closing(self.stack):
            do.resume(self.world)
            self.world.notes["flows"] = len(self.world.flows())
            self.world.run_to_end()
            assert not violations(self.world)


@contextmanager
def _closing(stack: ExitStack) -> Iterator[Any]:
    try:
        yield
    finally:
        stack.close()


Campaigns.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestRandomSequences = Campaigns.TestCase
