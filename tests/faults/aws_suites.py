"""The tiers over AWS's emulators: faults at the calls of botocore, and the same verdicts as in memory."""

import time
from collections.abc import Sequence
from functools import partial

from tests.embedded_aws import EmbeddedAws, MotoAws
from tests.faults.aws import aws_backend
from tests.faults.figures import Figures
from tests.faults.plan import Call, Fault, Kind, single_faults
from tests.faults.run import run
from tests.faults.scenarios import BY_NAME

#: Hints that are lost, doubled or late, and clocks that go wrong, are played at the ports.
KINDS = frozenset({Kind.CRASH, Kind.LOST, Kind.REFUSED, Kind.TWIN, Kind.ZOMBIE})


def aws_faults(calls: Sequence[Call]) -> list[Fault]:
    """Every single fault at AWS's calls."""
    return [fault for fault in single_faults(calls, act=False) if fault.kind in KINDS]


def play_on_ministack(name: str, every: int, first: int) -> Figures:
    """Every so manieth fault from `first` on: shares of one scenario for several processes."""
    figures, began = Figures(), time.process_time()
    place = partial(aws_backend, EmbeddedAws())
    for fault in aws_faults(run(BY_NAME[name], place=place).calls)[first::every]:
        figures.add(run(BY_NAME[name], (fault,), place=place))
    figures.cpu_seconds = time.process_time() - began
    return figures


def compare(name: str, emulator: str) -> Figures:
    """Without faults; a verdict that differs from memory's is a failure."""
    figures, began = Figures(), time.process_time()
    there = run(BY_NAME[name], place=partial(aws_backend, MotoAws() if emulator == "moto" else EmbeddedAws()))
    figures.add(there)
    here = run(BY_NAME[name])
    if there.summary != here.summary:
        figures.other += 1
        figures.failures.append(f"{name} on {emulator}: {there.summary}, in memory {here.summary}")
    figures.cpu_seconds = time.process_time() - began
    return figures
