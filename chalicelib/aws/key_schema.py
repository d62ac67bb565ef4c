"""All keys of the Catalog and Contacts tables."""

from hashlib import blake2b

from chalicelib.model.contact_shards import CONTACT_SHARDS
from chalicelib.model.ids import WorkspaceUid

#: Sort key of a document's own item.
META = "META"
#: Sort key of a channel's circuit. It sorts before META, so that a query of the range from here to META reads both.
CIRCUIT = "CIRCUIT"
#: Sort keys of a channel's rate state, which that query reads too, and of its daily counts, which it does not.
RATE_STATE = "LINE"
DAY = "SENT#"
#: Sort key of a balance and of a flow's budget, and prefix of the ledger entries.
MONEY = "MONEY"
ENTRIES = "T#"
#: Sort key of the item that stores the parent of a document.
PARENT = "PARENT"
#: Prefixes of the sort keys below a document.
VERSIONS = "V#"
CHUNKS = "A#"


def document(workspace: str, kind: str, uid: str) -> str:
    """Partition of a document and of everything that belongs to it."""
    return f"{workspace}#{kind}#{uid}"


def read_document(pk: str) -> tuple[WorkspaceUid, str]:
    """Parse workspace and uid from a document's partition."""
    workspace, _, rest = pk.partition("#")
    return WorkspaceUid(workspace), rest.partition("#")[2]


def of_kind(workspace: str, kind: str) -> str:
    """Partition of the index byType."""
    return f"{workspace}#{kind}"


def active(workspace: str, uid: str) -> str:
    """Sort key of the index active."""
    return f"{workspace}#{uid}"


def read_active(sort: str) -> tuple[WorkspaceUid, str]:
    """Parse workspace and uid from a sort key of the index active; neither contains a #."""
    workspace, _, uid = sort.partition("#")
    return WorkspaceUid(workspace), uid


def version(number: int) -> str:
    """Sort key of a version."""
    return f"{VERSIONS}{number:06d}"


def chunk(number: int) -> str:
    """Sort key of a list chunk."""
    return f"{CHUNKS}{number:06d}"


def children(kind: str) -> str:
    """Prefix of the sort keys of pointers to children of a kind."""
    return f"CHILD#{kind}#"


def contact_shard(workspace: str, shard: int) -> str:
    """Partition of one shard of a workspace's contacts."""
    return f"{workspace}#C#{shard}"


def contact(workspace: str, uid: str) -> str:
    """Partition of a contact."""
    return contact_shard(workspace, shard_of(uid))


def shard_of(uid: str) -> int:
    """Return the shard of a contact. The function must never change: stored contacts are found by it."""
    return int.from_bytes(blake2b(uid.encode(), digest_size=8).digest(), "big") % CONTACT_SHARDS


def history(workspace: str, contact: str) -> str:
    """Partition of a contact's events."""
    return f"{workspace}#E#{contact}"


def consents(workspace: str, contact: str) -> str:
    """Partition of a contact's consent history."""
    return f"{workspace}#S#{contact}"


def consent_sort(moment: str, rev: int, channel_type: str, message_type: str) -> str:
    """Sort key of a consent change: its time, and the rev of the contact with which it was stored."""
    return f"{moment}#{rev:09d}#{channel_type}#{message_type}"


def event_sort(moment: str, event_id: str) -> str:
    """Sort key of an event: its time, and a hash of its id, which may contain any character."""
    return f"{moment}#{_hash(event_id)}"


def event_id(workspace: str, text: str) -> str:
    """Partition of the marker of an event id."""
    return f"{workspace}#D#{_hash(text)}"


def outbox(shard: int) -> str:
    """Partition of the index of unpublished events, over all workspaces."""
    return f"NEWS#{shard}"


def lookup(workspace: str, text: str) -> str:
    """Partition of a look-up key: a hash, so that no key contains an address."""
    return f"{workspace}#L#{_hash(text)}"


def usage_window(workspace: str, name: str) -> str:
    """Partition of the counters of a usage limit."""
    return f"{workspace}#RATE#{name}"


def _hash(text: str) -> str:
    return blake2b(text.encode(), digest_size=20).hexdigest()


def balance(workspace: str) -> str:
    """Partition of a workspace's balance and ledger."""
    return f"{workspace}#BALANCE"


def flow_budget(workspace: str, flow: str) -> str:
    """Partition of a flow's budget.

    It is not the flow's partition, because every batch writes it and because it outlives the flow.
    """
    return f"{workspace}#PURSE#{flow}"
