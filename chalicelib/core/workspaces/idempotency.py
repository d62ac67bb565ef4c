"""Run a call with an Idempotency-Key once: claim the key, store the response, or release the claim."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b

from chalicelib.errors import Conflict, RetryLater, invalid
from chalicelib.model.idempotency_record import RECORD_LIFE, IdempotencyRecord, StoredResponse
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.ports import Ports

#: Longest key, in characters.
MAX_KEY = 255
#: Longer than an API call may run (29 s). The owner of an older claim has crashed.
LEASE = timedelta(seconds=35)
#: Longest response body that is stored in the item, in characters; longer ones go to S3. An item has at most 400 KB.
MAX_INLINE = 200_000
#: Attempts against concurrent claims of the same key.
TRIES = 5


@dataclass(frozen=True, slots=True)
class IdempotencyClaim:
    """The right to make a call. `is_taken_over`: an earlier attempt was interrupted and may have done its work."""

    call: IdempotencyRecord
    is_taken_over: bool


def begin_call(ports: Ports, workspace: WorkspaceUid, key: str, fingerprint: str) -> IdempotencyClaim | StoredResponse:
    """Claim the key, or return the stored response of an earlier call with it.

    Raises InvalidRequest if the key is malformed or was used for another request, and Conflict while a call is running.
    """
    if not 0 < len(key) <= MAX_KEY or not (key.isascii() and key.isprintable()):
        raise invalid("Idempotency-Key", f"must be 1 to {MAX_KEY} printable ASCII characters")
    uid = blake2b(key.encode(), digest_size=20).hexdigest()
    for _ in range(TRIES):
        with suppress(Conflict):
            claimed = _claim(ports, workspace, uid, fingerprint)
            if claimed is None:
                break
            return claimed
    raise Conflict("A call with this Idempotency-Key is still running; repeat it in a few seconds")


def _claim(
    ports: Ports, workspace: WorkspaceUid, uid: str, fingerprint: str
) -> IdempotencyClaim | StoredResponse | None:
    """Try to claim the key. Returns None while another call holds it. Raises Conflict after a lost race."""
    now = ports.clock.real()
    known = ports.catalog.find(workspace, IdempotencyRecord, uid)
    if known is None or now - known.created_at >= RECORD_LIFE:
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
        raise invalid("Idempotency-Key", "was used for another request in the last 24 hours; use a new key")
    if known.answer is not None:
        return known.answer
    if known.until > now:
        return None
    renewed = known.model_copy(update={"fingerprint": fingerprint, "until": now + LEASE, "updated_at": now})
    return IdempotencyClaim(ports.catalog.save(workspace, renewed), is_taken_over=known.fingerprint != "")


def complete_call(ports: Ports, workspace: WorkspaceUid, claim: IdempotencyClaim, status: int, body: str) -> None:
    """Store the response for repeated calls. If this fails, the call counts as interrupted and may be made again."""
    answer = StoredResponse(status=status, body=body)
    if len(body) > MAX_INLINE:
        name = f"{workspace}/calls/{claim.call.uid}.json"
        ports.files.put(name, body.encode())
        answer = StoredResponse(status=status, file=name)
    with suppress(Conflict, RetryLater):
        ports.catalog.save(workspace, claim.call.model_copy(update={"answer": answer}))


def read_body(ports: Ports, answer: StoredResponse) -> str:
    """Return the body of a stored response."""
    return ports.files.get(answer.file).decode() if answer.file else answer.body


def release_call(ports: Ports, workspace: WorkspaceUid, claim: IdempotencyClaim, *, nothing_done: bool) -> None:
    """End the claim without a response, so the call may be repeated.

    `nothing_done`: the key may also be used for another request.
    """
    changes = {"until": ports.clock.real(), "fingerprint": "" if nothing_done else claim.call.fingerprint}
    with suppress(Conflict, RetryLater):
        ports.catalog.save(workspace, claim.call.model_copy(update=changes))
