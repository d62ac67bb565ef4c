"""In-memory stores that each implement several ports."""

from typing import Any

from tests.memory.balances import MemoryBalances
from tests.memory.catalog import MemoryCatalog
from tests.memory.contacts import MemoryContacts
from tests.memory.files import MemoryFiles
from tests.memory.statistics import MemoryStatistics


def shared_stores(catalog: MemoryCatalog, contacts: MemoryContacts, statistics: MemoryStatistics) -> dict[str, Any]:
    """Return the fields of `Ports` for these stores, with new stores for balances and files."""
    return {
        **dict.fromkeys(("catalog", "versions", "chunks", "schedule"), catalog),
        **dict.fromkeys(("contacts", "contact_shards"), contacts),
        **dict.fromkeys(("statistics", "recount_parts", "flow_errors"), statistics),
        **dict.fromkeys(("balances", "budgets"), MemoryBalances()),
        **dict.fromkeys(("files", "multipart_files"), MemoryFiles()),
    }
