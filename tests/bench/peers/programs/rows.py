"""Executions and contacts in PostgreSQL, for the peers that keep them there: a step is three statements."""

import json
import os
from collections.abc import Mapping
from typing import Any

from tests.bench.peers.programs.campaign import FLOW, TAG, people

URL = os.environ.get("POSTGRES_URL", "")
SCHEMA = """
CREATE TABLE contact (
    uid text PRIMARY KEY, email text NOT NULL, first_name text NOT NULL,
    consent boolean NOT NULL DEFAULT true, tags text[] NOT NULL DEFAULT '{}'
);
CREATE TABLE flow (uid text PRIMARY KEY, status text NOT NULL);
CREATE TABLE execution (
    flow text NOT NULL, contact text NOT NULL, seq int NOT NULL DEFAULT 0, status text NOT NULL DEFAULT 'pending',
    node text NOT NULL DEFAULT 'one', claim text, results jsonb NOT NULL DEFAULT '{}', PRIMARY KEY (flow, contact)
);
"""
#: Execution, contact and flow in one round trip.
READ = """
SELECT e.seq, e.status, e.results, f.status AS flow_status, c.uid, c.email, c.first_name, c.consent, c.tags
FROM execution e JOIN contact c ON c.uid = e.contact JOIN flow f ON f.uid = e.flow
WHERE e.flow = %(flow)s AND e.contact = %(contact)s
"""
#: Claim at most once: a second worker changes no row.
CLAIM = """
UPDATE execution SET claim = %(claim)s, status = 'processing'
WHERE flow = %(flow)s AND contact = %(contact)s AND seq = %(seq)s AND claim IS NULL
"""
SETTLE = """
UPDATE execution
SET claim = NULL, status = 'pending', seq = seq + 1, node = 'condition', results = results || %(result)s
WHERE flow = %(flow)s AND contact = %(contact)s AND claim = %(claim)s
"""
#: Settle the second SEND, TAG and END in one statement.
FINISH = """
WITH ours AS (
    UPDATE execution
    SET claim = NULL, status = 'completed', seq = seq + 1, node = 'end', results = results || %(result)s
    WHERE flow = %(flow)s AND contact = %(contact)s AND claim = %(claim)s RETURNING contact
)
UPDATE contact SET tags = array_append(tags, %(tag)s) FROM ours WHERE uid = ours.contact AND NOT %(tag)s = ANY (tags)
"""
#: End an execution when the CONDITION does not hold.
LEAVE = "UPDATE execution SET status = 'skipped' WHERE flow = %(flow)s AND contact = %(contact)s AND seq = %(seq)s"
COUNT = """
SELECT count(*) FILTER (WHERE status IN ('pending', 'processing')) AS open,
       count(*) FILTER (WHERE status = 'completed') AS completed FROM execution
"""
ENROL = "INSERT INTO execution (flow, contact) SELECT %(flow)s, uid FROM contact"


def key(contact: str, **more: Any) -> dict[str, Any]:
    """Return parameters of the statements above."""
    return {"flow": FLOW, "contact": contact, "tag": TAG, **more}


def result(node: str, outcome: str) -> str:
    """Return the JSON that SETTLE adds to the results."""
    return json.dumps({node: outcome})


def prepare(connection: Any) -> None:
    """Create tables, contacts and a flow, which exist before the launch and are not measured."""
    connection.execute(SCHEMA)
    connection.execute("INSERT INTO flow VALUES (%s, 'running')", (FLOW,))
    with connection.cursor().copy("COPY contact (uid, email, first_name) FROM STDIN") as copy:
        for person in people():
            copy.write_row(person)
    connection.execute("ANALYZE")


def count(connection: Any) -> tuple[int, int]:
    """Return the numbers of open and completed executions."""
    found = connection.execute(COUNT).fetchone()
    open_, completed = found.values() if isinstance(found, Mapping) else found
    return open_, completed


def is_current(row: Mapping[str, Any] | None, seq: int) -> bool:
    """Return whether a message that names this step still has something to do."""
    return row is not None and row["seq"] == seq and row["status"] == "pending"
