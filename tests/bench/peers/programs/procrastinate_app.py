"""procrastinate: two jobs a contact, the first settled and followed by the second in one transaction.

`… launch` is the launcher; `… worker` the worker.
"""

import asyncio
import sys
from uuid import uuid4

import procrastinate
import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from tests.bench.peers.programs import rows
from tests.bench.peers.programs.campaign import FLOW, WAIT_SECONDS, holds, may_be_written_to, people, send
from tests.bench.peers.programs.driver import drive
from tests.bench.peers.programs.rows import is_current, key

CONCURRENCY = 10
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=rows.URL, max_size=CONCURRENCY))
pool = AsyncConnectionPool(rows.URL, open=False, max_size=CONCURRENCY, kwargs={"autocommit": True})


async def _deliver(contact: str, seq: int, node: str) -> None:
    """Read, claim, send, settle; the first with the second's job, the second with TAG and END."""
    async with pool.connection() as connection:
        cursor = connection.cursor(row_factory=dict_row)
        row = await (await cursor.execute(rows.READ, key(contact))).fetchone()
        if not is_current(row, seq) or not may_be_written_to(row, row["flow_status"]):
            return
        if node == "two" and not holds(row["results"]):
            await connection.execute(rows.LEAVE, key(contact, seq=seq))
            return
        claim = uuid4().hex
        if not (await connection.execute(rows.CLAIM, key(contact, seq=seq, claim=claim))).rowcount:
            return
        settled = key(contact, claim=claim, result=rows.result(node, send(row, node)))
        if node == "two":
            await connection.execute(rows.FINISH, settled)
            return
        async with connection.transaction():
            if (await connection.execute(rows.SETTLE, settled)).rowcount:
                later = second.configure(connection=connection, schedule_in={"seconds": WAIT_SECONDS})
                await later.defer_async(contact=contact)


@app.task(name="first")
async def first(contact: str) -> None:
    """SEND, and the WAIT as the next job's schedule."""
    await _deliver(contact, 0, "one")


@app.task(name="second")
async def second(contact: str) -> None:
    """CONDITION, SEND, TAG, END."""
    await _deliver(contact, 1, "two")


async def _work() -> None:
    async with app.open_async(), pool:
        await app.run_worker_async(concurrency=CONCURRENCY, delete_jobs="successful")


def _launch() -> None:
    async def enrol() -> None:
        async with app.open_async(), pool, pool.connection() as own, own.transaction():
            await own.execute(rows.ENROL, {"flow": FLOW})
            batch = [{"contact": uid} for uid, *_ in people()]
            await first.configure(connection=own).batch_defer_async(*batch)

    asyncio.run(enrol())


def _lead() -> None:
    with psycopg.connect(rows.URL, autocommit=True) as connection:

        def prepare() -> None:
            rows.prepare(connection)
            with procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=rows.URL)).open() as opened:
                opened.schema_manager.apply_schema()

        drive(prepare, _launch, lambda: rows.count(connection))


if __name__ == "__main__":
    _lead() if sys.argv[1] == "launch" else asyncio.run(_work())
