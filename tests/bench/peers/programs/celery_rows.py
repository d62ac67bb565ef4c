"""Celery in its common setup: messages in Redis, executions and contacts in PostgreSQL; two tasks per contact.

`python -m …celery_rows` is the launcher; `celery -A …celery_rows worker` the worker.
"""

from functools import cache
from uuid import uuid4

import psycopg
from psycopg.rows import dict_row

from tests.bench.peers.programs import rows
from tests.bench.peers.programs.campaign import FLOW, WAIT_SECONDS, holds, may_be_written_to, people, send
from tests.bench.peers.programs.celery_base import make_app
from tests.bench.peers.programs.driver import drive
from tests.bench.peers.programs.rows import is_current, key

app = make_app()


@cache
def connect() -> psycopg.Connection:
    """Return the connection of this process, as Django keeps with CONN_MAX_AGE; each statement commits separately."""
    return psycopg.connect(rows.URL, autocommit=True, row_factory=dict_row)


def _deliver(contact: str, seq: int, node: str, settle: str) -> bool:
    """Read, claim, send and settle. Return False when there was nothing to do or another worker did it."""
    connection = connect()
    row = connection.execute(rows.READ, key(contact)).fetchone()
    if not is_current(row, seq) or not may_be_written_to(row, row["flow_status"]):
        return False
    if node == "two" and not holds(row["results"]):
        connection.execute(rows.LEAVE, key(contact, seq=seq))
        return False
    claim = uuid4().hex
    if not connection.execute(rows.CLAIM, key(contact, seq=seq, claim=claim)).rowcount:
        return False
    outcome = send(row, node)
    settled = key(contact, claim=claim, result=rows.result(node, outcome))
    return bool(connection.execute(settle, settled).rowcount)


@app.task(name="first")
def first(contact: str) -> None:
    """SEND, and the WAIT as the next task's countdown."""
    if _deliver(contact, 0, "one", rows.SETTLE):
        second.apply_async((contact,), countdown=WAIT_SECONDS)


@app.task(name="second")
def second(contact: str) -> None:
    """CONDITION, SEND, TAG, END."""
    _deliver(contact, 1, "two", rows.FINISH)


def _launch() -> None:
    connect().execute(rows.ENROL, {"flow": FLOW})
    with app.producer_pool.acquire(block=True) as producer:
        for uid, *_ in people():
            first.apply_async((uid,), producer=producer)


if __name__ == "__main__":
    drive(lambda: rows.prepare(connect()), _launch, lambda: rows.count(connect()))
