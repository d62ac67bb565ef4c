"""Caches that live as long as one worker process. Losing them costs time, never correctness."""

from collections import OrderedDict
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.model.circuit import ChannelFailureRecord
from chalicelib.model.graph import Graph
from chalicelib.model.rate_lease import RateLease


@dataclass(slots=True)
class WorkerMemory:
    """Built once per process in `wiring.py` and passed on with the ports."""

    #: Compiled campaign versions by workspace, campaign and version. A version never changes.
    graphs: dict[tuple[str, str, int], Graph] = field(default_factory=dict)
    #: Reserved rate slots by workspace and channel.
    rate_leases: MutableMapping[tuple[str, str], RateLease] = field(default_factory=dict)
    #: Consecutive failures of each channel that this worker has seen.
    channel_failures: MutableMapping[str, tuple[ChannelFailureRecord, ...]] = field(default_factory=dict)
    #: Workspace, flow and statistics epoch → executions that may still end here before the statistics are read again,
    #: and the time at which this expires.
    unchecked_ends: OrderedDict[tuple[str, str, int], tuple[int, datetime]] = field(default_factory=OrderedDict)
