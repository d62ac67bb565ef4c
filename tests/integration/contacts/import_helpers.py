"""Helpers that the tests of imports share."""

import csv
import io
from typing import Any

from tests.integration.conftest import Api, World

IMPORT = "/v1/contacts/import"


def run(api: Api, world: World, text: str, **options: Any) -> dict[str, Any]:
    """Import to the end and return the progress document."""
    reply = api.post(IMPORT, {"csv": text, **options})
    assert reply.status == 202, reply.text
    world.drain("JobQueue")
    data: dict[str, Any] = api.get(f"/v1/imports/{reply.data['uid']}").data
    return data


def numbers(progress: dict[str, Any]) -> dict[str, int]:
    """Return the counts of an import."""
    return {name: progress[name] for name in ("rows", "created", "updated", "skipped", "rejected")}


def rejected(api: Api, progress: dict[str, Any]) -> list[list[str]]:
    """Return the cells of the file of rejected rows, header first."""
    return list(csv.reader(io.StringIO(api.get(progress["rejectedUrl"]).text)))
