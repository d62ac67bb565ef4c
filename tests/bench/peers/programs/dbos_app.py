"""DBOS: one workflow per contact with two checkpointed steps and a sleep; the steps write the application's rows.

`… launch` is the launcher; `… worker <number>` the worker.
"""

import asyncio
import sys
from uuid import uuid4

import psycopg
from dbos import DBOS, DBOSClient, DBOSConfig
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from tests.bench.peers.programs import rows
from tests.bench.peers.programs.campaign import FLOW, WAIT_SECONDS, holds, may_be_written_to, people, send
from tests.bench.peers.programs.driver import drive
from tests.bench.peers.programs.rows import is_current, key

QUEUE = "campaign"
POOL = 10
pool = AsyncConnectionPool(rows.URL, open=False, max_size=POOL, kwargs={"autocommit": True})


@DBOS.step()
async def deliver(contact: str, seq: int, node: str) -> bool:
    """Read, claim, send, settle; the second with TAG and END. Run again it finds the claim and does not send."""
    async with pool.connection() as connection:
        cursor = connection.cursor(row_factory=dict_row)
        row = await (await cursor.execute(rows.READ, key(contact))).fetchone()
        if not is_current(row, seq) or not may_be_written_to(row, row["flow_status"]):
            return False
        if node == "two" and not holds(row["results"]):
            await connection.execute(rows.LEAVE, key(contact, seq=seq))
            return False
        claim = uuid4().hex
        if not (await connection.execute(rows.CLAIM, key(contact, seq=seq, claim=claim))).rowcount:
            return False
        settled = key(contact, claim=claim, result=rows.result(node, send(row, node)))
        settle = rows.SETTLE if node == "one" else rows.FINISH
        return bool((await connection.execute(settle, settled)).rowcount)


@DBOS.workflow()
async def walk(contact: str) -> None:
    """SEND, WAIT, then CONDITION, SEND, TAG, END."""
    if await deliver(contact, 0, "one"):
        await DBOS.sleep_async(WAIT_SECONDS)
        await deliver(contact, 1, "two")


def _configuration(executor: str) -> DBOSConfig:
    return {
        "name": "peer",
        "system_database_url": rows.URL,
        "executor_id": executor,
        "application_version": "1",
        "sys_db_pool_size": POOL,
        "log_level": "WARNING",
    }


async def _work(number: str) -> None:
    DBOS(config=_configuration(f"worker-{number}"))
    async with pool:
        DBOS.launch()
        await DBOS.register_queue_async(QUEUE)
        await asyncio.Event().wait()


def _launch(connection: psycopg.Connection) -> None:
    connection.execute(rows.ENROL, {"flow": FLOW})
    client = DBOSClient(system_database_url=rows.URL)
    for uid, *_ in people():
        client.enqueue({"queue_name": QUEUE, "workflow_name": walk.__qualname__, "app_version": "1"}, uid)
    client.destroy()


def _lead() -> None:
    with psycopg.connect(rows.URL, autocommit=True) as connection:
        drive(lambda: rows.prepare(connection), lambda: _launch(connection), lambda: rows.count(connection))


if __name__ == "__main__":
    if sys.argv[1] == "launch":
        _lead()
    else:
        asyncio.run(_work(sys.argv[2]))
