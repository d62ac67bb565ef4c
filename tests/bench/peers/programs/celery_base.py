"""How Celery is configured, wherever its rows are."""

import os

from celery import Celery

#: Longer than the campaign's longest wait: Celery's documentation asks for it, or the message comes again and again.
VISIBILITY_SECONDS = 3 * 86_400


def make_app() -> Celery:
    """Late acknowledgement, no results, and the prefetching that is advised for many short tasks."""
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
