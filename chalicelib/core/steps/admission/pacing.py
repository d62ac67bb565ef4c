"""Admission check: pacing of the flow (`pauseBetweenContactsMs`, concurrency)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.core.channels.pacing import PermitRequest, Reservation, grant_permits, release_permits
from chalicelib.core.steps.admission.base import LEASE, Admission, SendBatch, SendCandidate
from chalicelib.model.queue_messages import ScheduledStep, build_step_message

#: Attempts to update the pacing state against other workers, before the batch comes back later.
PACING_TRIES = 5


def check_pacing(batch: SendBatch, candidates: Sequence[SendCandidate]) -> Admission:
    """Give permits to the first candidates and reserve a later start for the others."""
    configuration, clock = batch.plan.flow.configuration, batch.ports.clock
    reserved = tuple(candidate.reserved_start for candidate in candidates)
    for _ in range(PACING_TRIES):
        now, real_now = clock.now(), clock.real()
        epoch = batch.plan.flow.epoch
        request = PermitRequest(
            batch.uid, len(candidates), epoch, now, real_now, real_now + LEASE, clock.speed, reserved
        )
        stored = batch.ports.pacing.get(batch.workspace, batch.flow)
        grant = grant_permits(stored, request, configuration)
        if batch.ports.pacing.save(batch.workspace, batch.flow, grant.state):
            admitted = [replace(each, permit=permit) for each, permit in zip(candidates, grant.permits, strict=False)]
            postponed = _postpone(candidates[len(grant.permits) :], grant.reservations)
            return Admission(tuple(admitted), postponed, has_permits=bool(admitted))
    soon = clock.now() + timedelta(seconds=1)
    return Admission((), _postpone(candidates, [Reservation(soon, start or soon) for start in reserved]))


def _postpone(candidates: Sequence[SendCandidate], reservations: Sequence[Reservation]) -> tuple[ScheduledStep, ...]:
    return tuple(
        ScheduledStep(
            build_step_message(candidate.stored.key, candidate.stored.seq, reservation.start), reservation.moment
        )
        for candidate, reservation in zip(candidates, reservations, strict=True)
    )


def return_permits(batch: SendBatch, late_starts: Mapping[int, datetime]) -> None:
    """Return the permits of the batch. If every attempt loses against other workers, the lease frees them.

    `late_starts`: concurrency slot → a start that was behind its permit. It moves the next start of that slot.
    """
    for _ in range(PACING_TRIES):
        stored = batch.ports.pacing.get(batch.workspace, batch.flow)
        released = release_permits(stored, batch.uid, late_starts, batch.plan.flow.configuration)
        if batch.ports.pacing.save(batch.workspace, batch.flow, released):
            return
