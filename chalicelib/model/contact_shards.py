"""How many contacts there are, and where to look for a sample of them."""

from dataclasses import dataclass

#: Over as many parts the contacts of a workspace are spread, evenly and by chance. Fixed for ever: another number would
#: look for contacts where they are not.
CONTACT_SHARDS = 64


@dataclass(frozen=True, slots=True)
class ShardSummary:
    """How many contacts one shard has, and cursors from which its pages can be read, about a megabyte apart."""

    count: int
    starts: tuple[str | None, ...]
