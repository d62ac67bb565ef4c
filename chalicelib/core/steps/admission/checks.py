"""The admission checks in their order, and the fold over them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.core.steps.admission.base import Admission, AdmissionCheck, SendBatch, SendCandidate
from chalicelib.core.steps.admission.budget import check_budget
from chalicelib.core.steps.admission.circuits import check_circuits
from chalicelib.core.steps.admission.pacing import check_pacing
from chalicelib.core.steps.admission.rates import check_rates
from chalicelib.core.steps.send_plan import SendPlan


@dataclass(frozen=True, slots=True)
class _Entry:
    #: Whether the check can have an effect on this flow. A check that cannot is not called and costs nothing.
    applies: Callable[[SendPlan], bool]
    check: AdmissionCheck


#: The budget comes last, so that only sends that can go now are charged.
CHECKS: tuple[_Entry, ...] = (
    _Entry(lambda plan: any(circuit.since for circuit in plan.circuits.values()), check_circuits),
    _Entry(lambda plan: plan.flow.configuration.lanes is not None, check_pacing),
    _Entry(lambda _: True, check_rates),
    _Entry(lambda plan: plan.flow.prepaid, check_budget),
)


def admit(batch: SendBatch, candidates: Sequence[SendCandidate]) -> Admission:
    """Apply the checks one after the other, until none is left or nothing is admitted."""
    admission = Admission(tuple(candidates))
    for entry in CHECKS:
        if not admission.admitted:
            break
        if entry.applies(batch.plan):
            admission = admission.then(entry.check(batch, admission.admitted))
    return admission
