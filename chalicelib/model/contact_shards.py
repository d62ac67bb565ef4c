"""Shards of a workspace's contacts, and a summary of one shard."""

from dataclasses import dataclass

#: The contacts of a workspace are spread over this many shards by a hash. Never change it: look-ups would search for
#: existing contacts in other shards.
CONTACT_SHARDS = 64


@dataclass(frozen=True, slots=True)
class ShardSummary:
    """The number of contacts of a shard, and cursors to pages of about 1 MB each."""

    count: int
    starts: tuple[str | None, ...]
