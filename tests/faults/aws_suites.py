"""The tiers on emulated AWS: faults at the calls of botocore, and a comparison of results with those in memory."""

import time
from collections.abc import Sequence
from functools import partial

from tests.embedded_aws import EmbeddedAws, MotoAws
from tests.faults.aws import aws_backend
from tests.faults.figures import Figures
from tests.faults.plan import Call, Fault, Kind, single_faults
from tests.faults.run import run
from tests.faults.scenarios import BY_NAME

#: Lost, doubled and late messages, and wrong clocks, are injected at the ports only.
KINDS = frozenset({Kind.CRASH, Kind.LOST, Kind.REFUSED, Kind.TWIN, Kind.ZOMBIE})


def aws_faults(calls: Sequence[Call]) -> list[Fault]:
    """Return every single fault that applies to a call of AWS."""
    return [fault for fault in single_faults(calls, act=False) if fault.kind in KINDS]


def play_on_ministack(name: str, every: int, first: int) -> Figures:
    """Run every `every`-th fault from `first` on. Several processes share one scenario this way."""
    figures, began = Figures(), time.process_time()
    backend = partial(aws_backend, EmbeddedAws())
    for fault in aws_faults(run(BY_NAME[name], backend=backend).calls)[first::every]:
        figures.add(run(BY_NAME[name], (fault,), backend=backend))
    figures.cpu_seconds = time.process_time() - began
    return figures


def compare(name: str, emulator: str) -> Figures:
    """Run the scenario without faults. A result that differs from the result in memory is a failure."""
    figures, began = Figures(), time.process_time()
    emulated = run(BY_NAME[name], backend=partial(aws_backend, MotoAws() if emulator == "moto" else EmbeddedAws()))
    figures.add(emulated)
    in_memory = run(BY_NAME[name])
    if emulated.summary != in_memory.summary:
        figures.other += 1
        figures.failures.append(f"{name} on {emulator}: {emulated.summary}, in memory {in_memory.summary}")
    figures.cpu_seconds = time.process_time() - began
    return figures
