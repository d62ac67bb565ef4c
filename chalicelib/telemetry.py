"""Logs and metrics: structured on AWS, a readable line on the laptop; ids only, never an address, a name or a body."""

import logging
import os
import sys
import traceback
from collections.abc import Mapping
from functools import cache

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

#: Attributes that every record has; what else is on it are the ids that the caller gave.
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class ReadableLine(logging.Formatter):
    """`step.sent flow=01J… count=10`: the laptop's supervisor puts the time and the process before it."""

    def format(self, record: logging.LogRecord) -> str:
        given = " ".join(f"{name}={value}" for name, value in vars(record).items() if name not in _PLAIN)
        level = "" if record.levelno <= logging.INFO else f"{record.levelname} "
        return f"{level}{record.getMessage()} {given}".rstrip()


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
    """Something that happens too often for a log that people read."""
    _logger().debug(event, extra=dict(ids))


def log_info(event: str, **ids: object) -> None:
    """Something that happened, as a stable dotted word."""
    _logger().info(event, extra=dict(ids))


def log_warning(event: str, **ids: object) -> None:
    """Something to look at that was dealt with."""
    _logger().warning(event, extra=dict(ids))


def log_fault(event: str, error: BaseException, **ids: object) -> None:
    """A fault of code or data, with where it was raised but without its message, which may quote what a user sent."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    _logger().error(event, extra={**ids, "fault": _describe(error), "where": where})


def count(service: str, metrics: Mapping[str, int]) -> None:
    """One line a batch in CloudWatch's embedded metric format; the stage and the worker are its only dimensions.

    An id as a dimension would be a metric of its own, at $0.30 a month each.
    """
    stage = os.environ.get("STAGE", "prod")
    if stage == "local":
        return  # The laptop's readable line says the same.
    batch = EphemeralMetrics(namespace="Carillon", service=service)
    batch.add_dimension("stage", stage)
    for name, value in metrics.items():
        batch.add_metric(name, MetricUnit.Milliseconds if name == "Milliseconds" else MetricUnit.Count, value)
    batch.flush_metrics()


def _describe(error: BaseException) -> str:
    """Its type, the type that it was raised from, and AWS's error code."""
    names = [type(error).__name__]
    if error.__cause__ is not None and error.__cause__ is not error:
        names.append(f"from {type(error.__cause__).__name__}")
    response = getattr(error, "response", None) or getattr(error.__cause__, "response", None)
    if isinstance(response, dict):
        names.append(str(response.get("Error", {}).get("Code", "")))
    return " ".join(filter(None, names))
