"""Configuration of Celery, shared by both Celery peers."""

import os

from celery import Celery

#: Longer than the longest wait, as Celery's documentation requires. Otherwise the message is delivered repeatedly.
VISIBILITY_SECONDS = 3 * 86_400


def make_app() -> Celery:
    """Create an app with late acknowledgement, no results, and the prefetching advised for many short tasks."""
    app = Celery("peer", broker=os.environ["REDIS_URL"])
    visibility = {"visibility_timeout": VISIBILITY_SECONDS}
    app.conf.update(
        task_acks_late=True,
        task_ignore_result=True,
        worker_prefetch_multiplier=128,
        broker_transport_options=visibility,
        result_backend_transport_options=visibility,
        visibility_timeout=VISIBILITY_SECONDS,
        broker_connection_retry_on_startup=True,
    )
    return app
