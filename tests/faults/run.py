"""One run of one scenario under one plan, and the command that repeats it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from chalicelib.model.execution import MessageOutcome as Status
from tests.faults.backends import Backend, MemoryBackend
from tests.faults.invariants import violations
from tests.faults.plan import Call, Plan, write_plan
from tests.faults.scenario import Scenario
from tests.faults.simulation import World, opened

Place = Callable[[], AbstractContextManager[Backend]]


@dataclass(frozen=True)
class Outcome:
    """What became of a run; `summary` is what two backends are compared by."""

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
        """The one command that shows it again."""
        seed = f" --seed {self.seed}" if self.seed is not None else ""
        return f"python -m tests.faults replay {self.scenario} '{write_plan(self.plan)}'{seed}"

    def __str__(self) -> str:
        return "\n  ".join((self.replay, *self.violations))


def run(scenario: Scenario, plan: Plan = (), seed: int | None = None, place: Place = MemoryBackend.new) -> Outcome:
    """Plays the scenario to its end and looks what holds."""
    with place() as backend, opened(scenario, plan, backend, seed) as world:
        world.settle()
        with world.board.aside():
            found = tuple(violations(world))
            rows = [row for flow in world.flows() for row in world.rows(flow)]
            summary = _summary(world)
    unknown = sum(result.outcome is Status.UNKNOWN for row in rows for result in row.results.values())
    accepted = world.provider.acceptances().total()
    return Outcome(scenario.name, plan, seed, found, tuple(world.board.calls), accepted, unknown, summary)


def _summary(world: World) -> tuple[object, ...]:
    """Everything that must not depend on where it was played."""
    rows = [
        (
            row.key.execution_id,
            str(row.status),
            row.reason,
            tuple(sorted((str(n), str(r.outcome)) for n, r in row.results.items())),
        )
        for flow in world.flows()
        for row in sorted(world.rows(flow), key=lambda row: row.key.execution_id)
    ]
    return (*(str(flow.status) for flow in world.flows()), *rows)
