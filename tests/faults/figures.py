"""Counts of the runs of a tier, and of the invariants that they broke."""

from dataclasses import dataclass, field

from tests.faults.run import Outcome


@dataclass
class Figures:
    """Counts of runs and of broken invariants; `failures` holds one replayable text for each broken run."""

    runs: int = 0
    faults: int = 0
    accepted: int = 0
    unknown: int = 0
    duplicates: int = 0
    lost: int = 0
    mismatches: int = 0
    other: int = 0
    cpu_seconds: float = 0.0
    failures: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.runs += 1
        self.faults += len(outcome.plan)
        self.accepted += outcome.accepted
        self.unknown += outcome.unknown
        broken = {text.split(" ")[0] for text in outcome.violations}
        self.duplicates += bool(broken & {"I1", "I2"})
        self.lost += "I3" in broken
        self.mismatches += "I4" in broken
        self.other += bool(broken - {"I1", "I2", "I3", "I4"})
        if broken:
            self.failures.append(str(outcome))

    def merge(self, other: "Figures") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
