"""Run once at every start: creates tables and queues from the template, and reads from the app what its functions need.

Queues are named by the declarations and created from the template, so a wrong template or declaration fails here too.
"""

import importlib
import json
import os
import sys
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
    """A client by the environment that the supervisor gave; which one is known only at run time, hence Any."""
    make: Any = boto3.client
    return make(service)


def main() -> int:
    data = Path(sys.argv[1])
    environment = provision(client_for)
    os.environ.update(environment)
    queues = queue_urls(client_for)
    app = importlib.import_module("app").app
    sources = find_sources(app.event_sources, Path.cwd(), os.environ["STAGE"])
    if missing := [source.queue for source in sources.queues if source.queue not in queues]:
        print(f"the template has no queue {missing[0]}, which a function is declared on")
        return 1
    write_atomically(data / "sources.json", json.dumps(asdict(sources), indent=1))
    write_atomically(data / "environment.json", json.dumps({**environment, "LOCAL_QUEUES": json.dumps(queues)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
