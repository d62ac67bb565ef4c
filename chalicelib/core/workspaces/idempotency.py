"""Lets a call with an Idempotency-Key happen once: claims it, keeps its answer, and frees it where nothing was done."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b

from chalicelib.errors import Conflict, RetryLater, invalid
from chalicelib.model.idempotency_record import CALL_LIFE, IdempotencyRecord, StoredResponse
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.ports import Ports

MAX_KEY = 255
#: Longer than the API's function may run (29 s): whoever has the call longer than this is dead.
LEASE = timedelta(seconds=35)
#: Characters of a body that are kept beside the call; an item has 400 KB at most.
MAX_INLINE = 200_000
#: Tries against others who claim the same key at the same moment.
TRIES = 5


@dataclass(frozen=True, slots=True)
class IdempotencyClaim:
    """The call is ours to make. `is_taken_over`: an attempt before us broke off, and may have done its work."""

    call: IdempotencyRecord
    is_taken_over: bool


def begin_call(ports: Ports, workspace: WorkspaceUid, key: str, fingerprint: str) -> IdempotencyClaim | StoredResponse:
    """The claim, or the answer of the call that was made before.

    InvalidRequest when the key stands for another request or is not one, Conflict while the call is being made.
    """
    if not 0 < len(key) <= MAX_KEY or not (key.isascii() and key.isprintable()):
        raise invalid("Idempotency-Key", f"must be 1 to {MAX_KEY} printable ASCII characters")
    uid = blake2b(key.encode(), digest_size=20).hexdigest()
    for _ in range(TRIES):
        with suppress(Conflict):
            found = _claim(ports, workspace, uid, fingerprint)
            if found is None:
                break
            return found
    raise Conflict("The call with this Idempotency-Key is still being worked on: repeat it in some seconds")


def _claim(
    ports: Ports, workspace: WorkspaceUid, uid: str, fingerprint: str
) -> IdempotencyClaim | StoredResponse | None:
    """None while somebody has it; Conflict when somebody claims it at this moment."""
    now = ports.clock.real()
    known = ports.catalog.find(workspace, IdempotencyRecord, uid)
    if known is None or now - known.created_at >= CALL_LIFE:
        fresh = IdempotencyRecord(
            uid=uid,
            created_at=now,
            updated_at=now,
            fingerprint=fingerprint,
            reserved_uid=new_uid(),
            until=now + LEASE,
        )
        if known is None:
            ports.catalog.add(workspace, fresh)
            return IdempotencyClaim(fresh, is_taken_over=False)
        return IdempotencyClaim(
            ports.catalog.save(workspace, fresh.model_copy(update={"rev": known.rev})), is_taken_over=False
        )
    if known.fingerprint not in {"", fingerprint}:
        raise invalid("Idempotency-Key", "was used for another request within 24 hours: a new request needs a new key")
    if known.answer is not None:
        return known.answer
    if known.until > now:
        return None
    taken = known.model_copy(update={"fingerprint": fingerprint, "until": now + LEASE, "updated_at": now})
    return IdempotencyClaim(ports.catalog.save(workspace, taken), is_taken_over=known.fingerprint != "")


def complete_call(ports: Ports, workspace: WorkspaceUid, claim: IdempotencyClaim, status: int, body: str) -> None:
    """Ends the claim: repetitions get this answer. One that cannot be kept now is as one of a call that broke off."""
    answer = StoredResponse(status=status, body=body)
    if len(body) > MAX_INLINE:
        name = f"{workspace}/calls/{claim.call.uid}.json"
        ports.files.put(name, body.encode())
        answer = StoredResponse(status=status, file=name)
    with suppress(Conflict, RetryLater):
        ports.catalog.save(workspace, claim.call.model_copy(update={"answer": answer}))


def read_body(ports: Ports, answer: StoredResponse) -> str:
    """The body of a kept answer."""
    return ports.files.get(answer.file).decode() if answer.file else answer.body


def release_call(ports: Ports, workspace: WorkspaceUid, claim: IdempotencyClaim, *, nothing_done: bool) -> None:
    """Ends the claim without an answer: the call may be made again; where nothing was done, another one as well."""
    changes = {"until": ports.clock.real(), "fingerprint": "" if nothing_done else claim.call.fingerprint}
    with suppress(Conflict, RetryLater):
        ports.catalog.save(workspace, claim.call.model_copy(update=changes))
