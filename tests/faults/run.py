"""One run of a scenario with a fault plan, and the command that repeats it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from chalicelib.model.execution import MessageOutcome as Status
from tests.faults.backends import Backend, MemoryBackend
from tests.faults.invariants import violations
from tests.faults.plan import Call, Plan, write_plan
from tests.faults.scenario import Scenario
from tests.faults.simulation import World, open_world

BackendFactory = Callable[[], AbstractContextManager[Backend]]


@dataclass(frozen=True)
class Outcome:
    """The result of a run; `summary` is compared between backends."""

    scenario: str
    plan: Plan
    seed: int | None
    violations: tuple[str, ...]
    calls: tuple[Call, ...]
    accepted: int
    unknown: int
    summary: tuple[object, ...] = ()

    @property
    def replay(self) -> str:
        """Command that repeats the run."""
        seed = f" --seed {self.seed}" if self.seed is not None else ""
        return f"python -m tests.faults replay {self.scenario} '{write_plan(self.plan)}'{seed}"

    def __str__(self) -> str:
        return "\n  ".join((self.replay, *self.violations))


def run(
    scenario: Scenario, plan: Plan = (), seed: int | None = None, backend: BackendFactory = MemoryBackend.new
) -> Outcome:
    """Run the scenario to its end and check the invariants."""
    with backend() as opened, open_world(scenario, plan, opened, seed) as world:
        world.run_to_end()
        with world.injector.uncounted():
            found = tuple(violations(world))
            executions = [execution for flow in world.flows() for execution in world.executions(flow)]
            summary = _summary(world)
    unknown = sum(result.outcome is Status.UNKNOWN for execution in executions for result in execution.results.values())
    accepted = world.provider.acceptances().total()
    return Outcome(scenario.name, plan, seed, found, tuple(world.injector.calls), accepted, unknown, summary)


def _summary(world: World) -> tuple[object, ...]:
    """Return the part of the result that must not depend on the backend."""
    executions = [
        (
            execution.key.execution_id,
            str(execution.status),
            execution.reason,
            tuple(sorted((str(n), str(r.outcome)) for n, r in execution.results.items())),
        )
        for flow in world.flows()
        for execution in sorted(world.executions(flow), key=lambda execution: execution.key.execution_id)
    ]
    return (*(str(flow.status) for flow in world.flows()), *executions)
