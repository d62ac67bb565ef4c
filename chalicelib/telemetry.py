"""Logs and metrics: structured on AWS, readable lines on the local stack.

Logs hold ids only: never an address, a name or the text of a message.
"""

import logging
import os
import sys
import traceback
from collections.abc import Mapping
from functools import cache

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

#: Attributes of every log record. All others are the ids that the caller passed.
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class ReadableLine(logging.Formatter):
    """Format of the local stack: `steps.done flow=01J… count=10`. The supervisor adds time and process."""

    def format(self, record: logging.LogRecord) -> str:
        ids = " ".join(f"{name}={value}" for name, value in vars(record).items() if name not in _PLAIN)
        level = "" if record.levelno <= logging.INFO else f"{record.levelname} "
        return f"{level}{record.getMessage()} {ids}".rstrip()


@cache
def _logger() -> logging.Logger | Logger:
    if os.environ.get("STAGE") != "local":
        return Logger(service="carillon", level=os.environ.get("LOG_LEVEL", "INFO"), log_uncaught_exceptions=False)
    logger = logging.getLogger("carillon")
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(ReadableLine())
        logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(os.environ.get("LOG_LEVEL", "INFO"))
    return logger


def log_debug(event: str, **ids: object) -> None:
    """Log an event that is too frequent for the normal log."""
    _logger().debug(event, extra=dict(ids))


def log_info(event: str, **ids: object) -> None:
    """Log an event under a stable dotted name."""
    _logger().info(event, extra=dict(ids))


def log_warning(event: str, **ids: object) -> None:
    """Log a problem that was handled but may need attention."""
    _logger().warning(event, extra=dict(ids))


def log_fault(event: str, error: BaseException, **ids: object) -> None:
    """Log a fault with its stack, but without its message, which may quote personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    _logger().error(event, extra={**ids, "fault": _describe(error), "where": where})


def count(service: str, metrics: Mapping[str, int]) -> None:
    """Write the metrics of a batch as one line in CloudWatch's embedded metric format.

    The only dimensions are stage and service. Each id as a dimension would be a separate metric, at $0.30 a month.
    """
    stage = os.environ.get("STAGE", "prod")
    if stage == "local":
        return  # The local stack logs the same numbers in a readable line.
    batch = EphemeralMetrics(namespace="Carillon", service=service)
    batch.add_dimension("stage", stage)
    for name, value in metrics.items():
        batch.add_metric(name, MetricUnit.Milliseconds if name == "Milliseconds" else MetricUnit.Count, value)
    batch.flush_metrics()


def _describe(error: BaseException) -> str:
    """Return the type of the error, the type of its cause, and the AWS error code."""
    names = [type(error).__name__]
    if error.__cause__ is not None and error.__cause__ is not error:
        names.append(f"from {type(error.__cause__).__name__}")
    response = getattr(error, "response", None) or getattr(error.__cause__, "response", None)
    if isinstance(response, dict):
        names.append(str(response.get("Error", {}).get("Code", "")))
    return " ".join(filter(None, names))
