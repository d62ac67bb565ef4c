"""Celery: two tasks a contact, executions and contacts in Redis beside the messages.

`python -m …celery_app` is the launcher; `celery -A …celery_app worker` the worker.
"""

import os
from uuid import uuid4

import redis

from tests.bench.peers.programs.campaign import FLOW, TAG, WAIT_SECONDS, holds, may_be_written_to, people, send
from tests.bench.peers.programs.celery_base import make_app
from tests.bench.peers.programs.driver import drive

app = make_app()
store = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
#: Scripts that change a row only while our claim holds; each is one round trip.
SETTLE = store.register_script("""
if redis.call('HGET', KEYS[1], 'claim') ~= ARGV[1] then return 0 end
local moved = {'claim', '', 'status', 'pending', 'seq', ARGV[2], 'node', 'condition', 'result:one', ARGV[3]}
redis.call('HSET', KEYS[1], unpack(moved))
return 1
""")
CLAIM = store.register_script("""
local row = redis.call('HMGET', KEYS[1], 'seq', 'claim')
if row[1] ~= ARGV[1] or row[2] ~= '' then return 0 end
redis.call('HSET', KEYS[1], 'claim', ARGV[2], 'status', 'processing')
return 1
""")
#: Settle the second SEND, TAG and END in one script.
FINISH = store.register_script("""
if redis.call('HGET', KEYS[1], 'claim') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'claim', '', 'status', 'completed', 'seq', ARGV[2], 'node', 'end', 'result:two', ARGV[3])
redis.call('SADD', KEYS[2], ARGV[4])
redis.call('SREM', KEYS[3], ARGV[5])
redis.call('INCR', KEYS[4])
return 1
""")
OPEN, COMPLETED = f"open:{FLOW}", f"completed:{FLOW}"


def _row(contact: str) -> str:
    return f"execution:{FLOW}:{contact}"


def _deliver(contact: str, seq: int, node: str) -> bool:
    """Read, claim, send and settle. Return False when there was nothing to do or another worker did it."""
    read = store.pipeline(transaction=False)
    row, person, flow = read.hgetall(_row(contact)).hgetall(f"contact:{contact}").get(f"flow:{FLOW}").execute()
    if row.get("seq") != str(seq) or row["status"] != "pending" or not may_be_written_to(person, flow):
        return False
    if node == "two" and not holds({"one": row.get("result:one", "")}):
        return False
    claim = uuid4().hex
    if not CLAIM(keys=[_row(contact)], args=[seq, claim]):
        return False
    settled = [claim, seq + 1, send(person, node)]
    if node == "one":
        return bool(SETTLE(keys=[_row(contact)], args=settled))
    keys = [_row(contact), f"tags:{contact}", OPEN, COMPLETED]
    return bool(FINISH(keys=keys, args=[*settled, TAG, contact]))


@app.task(name="first")
def first(contact: str) -> None:
    """SEND, and the WAIT as the next task's countdown."""
    if _deliver(contact, 0, "one"):
        second.apply_async((contact,), countdown=WAIT_SECONDS)


@app.task(name="second")
def second(contact: str) -> None:
    """CONDITION, SEND, TAG, END."""
    _deliver(contact, 1, "two")


def _prepare() -> None:
    with store.pipeline(transaction=False) as batch:
        batch.set(f"flow:{FLOW}", "running")
        for uid, email, name in people():
            batch.hset(f"contact:{uid}", mapping={"uid": uid, "email": email, "first_name": name, "consent": "1"})
        batch.execute()


def _launch() -> None:
    fresh = {"seq": "0", "status": "pending", "claim": "", "node": "one"}
    uids = [uid for uid, *_ in people()]
    with store.pipeline(transaction=False) as batch:
        for uid in uids:
            batch.hset(_row(uid), mapping=fresh)
        batch.sadd(OPEN, *uids)
        batch.execute()
    with app.producer_pool.acquire(block=True) as producer:
        for uid in uids:
            first.apply_async((uid,), producer=producer)


def _count() -> tuple[int, int]:
    return store.scard(OPEN), int(store.get(COMPLETED) or 0)


if __name__ == "__main__":
    drive(_prepare, _launch, _count)
