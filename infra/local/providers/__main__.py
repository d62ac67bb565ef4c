"""Process of the local providers: their HTTP server and their delivery reports."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.local import orphan
from infra.local.lambda_runtime import ACCOUNT, REGION
from infra.local.providers.hooks import Hooks, post
from infra.local.providers.inbox import ProviderInbox
from infra.local.providers.report_scheduler import ReportScheduler
from infra.local.providers.reports import Event
from infra.local.providers.server import Server, build_responder
from infra.local.serve import SOCKET
from infra.local.virtual_time import virtual_now

#: Queue that receives the events of AWS through SNS.
QUEUE = "ReceiptQueue"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:carillon-receipts"
POLL_SECONDS = 0.1


def publish_to(sqs: Any, url: str) -> Callable[[Event], bool]:
    """Return a function that sends an event to the queue in the envelope of SNS."""

    def publish(event: Event) -> bool:
        envelope = {"Type": "Notification", "MessageId": str(uuid4()), "TopicArn": TOPIC}
        body = json.dumps({**envelope, "Message": json.dumps(event.content)})
        try:
            sqs.send_message(QueueUrl=url, MessageBody=body)
        except (ClientError, BotoCoreError):
            return False
        return True

    return publish


def drop(_event: Event) -> bool:
    """Drop the event, as an event destination without subscribers does."""
    return True


def main() -> None:
    orphan.begin()
    stop = threading.Event()
    orphan.on_stop(stop.set)
    data, outbox = Path(os.environ["LOCAL_DATA"]), Path(os.environ["OUTBOX_DIR"])
    url = json.loads(os.environ.get("LOCAL_QUEUES", "{}")).get(QUEUE)
    make: Any = boto3.client
    publish = publish_to(make("sqs"), url) if url else drop

    def now() -> Any:
        return virtual_now(os.environ)

    hooks = Hooks(data / "meta-webhooks.json")
    server = Server(socket.socket(fileno=int(os.environ[SOCKET])), build_responder(ProviderInbox(outbox, now), hooks))
    threading.Thread(target=server.serve_forever, name="providers", daemon=True).start()
    scheduler = ReportScheduler(
        outbox, data / "providers.json", now, publish, lambda each: post(each.url, each.body, each.headers)
    )
    while not stop.wait(POLL_SECONDS):
        scheduler.send_due()
    server.shutdown()
    sys.stdout.flush()


if __name__ == "__main__":
    main()
