"""Runs once at every start: creates resources from the template and reads the event sources from the app.

A queue that the app declares must exist in the template; otherwise the start fails here.
"""

import importlib
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3

from infra.local.data import write_atomically
from infra.local.resources import provision, queue_urls
from infra.local.sources import find_sources


@lru_cache
def client_for(service: str) -> Any:
    """Return a client for the environment of the supervisor. Its type depends on the service, hence Any."""
    make: Any = boto3.client
    return make(service)


def shorten_visibility(urls: Iterable[str]) -> None:
    """Apply LOCAL_VISIBILITY_SECONDS, so that tests get the messages of a killed worker sooner."""
    seconds = os.environ.get("LOCAL_VISIBILITY_SECONDS")
    for url in urls if seconds else ():
        client_for("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": seconds})


def main() -> int:
    data = Path(sys.argv[1])
    environment = provision(client_for)
    os.environ.update(environment)
    queues = queue_urls(client_for)
    app = importlib.import_module("app").app
    sources = find_sources(app.event_sources, Path.cwd(), os.environ["STAGE"])
    shorten_visibility(queues.values())
    if missing := [source.queue for source in sources.queues if source.queue not in queues]:
        print(f"the template has no queue {missing[0]}, but a function of app.py declares it")
        return 1
    found = {**asdict(sources), "routes": sorted(app.routes)}
    write_atomically(data / "sources.json", json.dumps(found, indent=1))
    write_atomically(data / "environment.json", json.dumps({**environment, "LOCAL_QUEUES": json.dumps(queues)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
