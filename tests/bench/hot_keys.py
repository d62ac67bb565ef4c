"""Hot keys: write and read units of each send by kind of key, and the number of keys that share them.

DynamoDB gives a partition 1,000 write units and 3,000 read units per second. A partition holds at least one item, so
that is the limit of an item. DynamoDB splits items below one partition key over several partitions by their sort keys.
The split takes minutes of load, and works where the sort keys do not grow with time.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any

from chalicelib.aws.event_codec import OUTBOX_SHARDS
from chalicelib.aws.statistics import SHARDS as STATISTICS_SHARDS
from chalicelib.aws.timers import SHARDS as TIMER_SHARDS
from chalicelib.core.channels.rate_limit import LEASES_PER_SECOND
from chalicelib.core.flows.create_flow import count_shards
from chalicelib.model.contact_shards import CONTACT_SHARDS
from chalicelib.model.ids import FlowUid, new_uid
from tests.bench.calls import MeteredStory, _watching, open_story
from tests.bench.meter import Place, Tally

#: Load of the analysis: sends per second, all of one flow through one channel, over CONTACTS contacts.
RATE, CONTACTS = 10_000, 1_000_000
#: Limits of a DynamoDB partition, in units per second.
WRITES, READS = 1_000, 3_000
HOUR = timedelta(hours=1, minutes=1)
#: Two sizes; their difference excludes the fixed cost of a flow.
SIZES, SMALL = (40, 160), (20, 40)
#: Batches in progress at RATE, when ten consecutive sends take 0.1 s each.
BATCHES = 1_000
#: Keys that fewer than one send in 200 touches belong to pages and jobs, and get no kind.
RARE = 0.005

_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_HASH = re.compile(r"\b[0-9a-f]{40}\b")


@dataclass(frozen=True, slots=True)
class Kind:
    """Keys with the same load; `items` and `partitions` are their numbers at CONTACTS contacts."""

    name: str
    #: Pattern of `table partition|sort` with U for every uid. The sort key of a query is empty.
    pattern: str
    items: int
    partitions: int
    #: Whether DynamoDB can split its partition key between sort keys that do not grow with time.
    splits: bool = False


KINDS = (
    Kind("executions of a flow", r"Executions U#U#\d+\|.*", CONTACTS, count_shards(CONTACTS)),
    Kind("flows of a contact", r"Executions/byContact U#U\|U", CONTACTS, CONTACTS),
    Kind("contacts", r"Contacts U#C#\d+\|U", CONTACTS, CONTACT_SHARDS),
    Kind("history of a contact", r"Contacts U#[EDS]#.*", CONTACTS, CONTACTS),
    Kind("published changes", r"Contacts/news NEWS#\d+\|.*", CONTACTS, OUTBOX_SHARDS),
    Kind("event subscriptions", r"Catalog U#LISTENERS#events\|META", 1, 1),
    Kind("campaign", r"Catalog U#CAMPAIGN#U\|META", 1, 1),
    Kind("statistics of a flow", r"Catalog U#FLOW#U\|(S#\d+#\d+)?", STATISTICS_SHARDS, 1, splits=True),
    Kind("control of a flow", r"Catalog U#FLOW#U\|META", 1, 1),
    Kind("audience of a flow", r"Catalog U#FLOW#U\|A#\d+", CONTACTS // 10_000, 1),
    Kind("pacing state of a flow", r"Catalog U#FLOW#U\|GATE", 1, 1),
    Kind("budget of a flow", r"Catalog U#PURSE#U\|MONEY", 1, 1),
    Kind("balance of a workspace", r"Catalog U#BALANCE\|MONEY", 1, 1),
    Kind("rate state of a channel", r"Catalog U#CHANNEL#U\|LINE", 1, 1),
    Kind("daily count of a channel", r"Catalog U#CHANNEL#U\|SENT#.*", 1, 1),
    Kind("channel and circuit", r"Catalog U#CHANNEL#U\|(META|CIRCUIT)?", 1, 1),
    Kind("workspace", r"Catalog U#WORKSPACE#U\|META", 1, 1),
    Kind("index of timers", r"Timers \d{10}#INDEX\|.*", TIMER_SHARDS, 1),
    Kind("timers of a minute", r"Timers \d{12}#\d\|U?", CONTACTS, TIMER_SHARDS),
)


@dataclass(frozen=True, slots=True)
class Load:
    """Write and read units of a kind for each send, or for each change of a contact."""

    kind: Kind
    writes: float
    reads: float

    def of_items(self) -> float:
        """Return how many sends per second the items allow."""
        return self._bears(self.kind.items)

    def of_partitions(self) -> float:
        """Return how many sends per second the partition keys allow before DynamoDB splits any."""
        return self._bears(self.kind.partitions)

    def _bears(self, keys: int) -> float:
        most = max(self.writes / WRITES, self.reads / READS) / keys
        return 1 / most if most else float("inf")


def measure() -> dict[str, Any]:
    """Return the figures for the JSON and the table."""
    groups = {"send": measure_sends(), "send of a paced flow": measure_gate(), "change heard of": measure_changes()}
    kinds = [_show(each, load) for each, loads in groups.items() for load in loads if load.writes or load.reads]
    return {"rate": RATE, "contacts": CONTACTS, "kinds": kinds}


def _show(each: str, load: Load) -> dict[str, Any]:
    keys = {"items": load.kind.items, "partitions": load.kind.partitions}
    bears = {"items_bear": load.of_items(), "partitions_bear": load.of_partitions()}
    return {"kind": load.kind.name, "for_each": each, "writes": load.writes, "reads": load.reads, **keys, **bears}


def measure_sends() -> list[Load]:
    """Measure SEND, TAG, WAIT 1 h, SEND with budget, rate and daily cap. Raise AssertionError for an unknown key.

    Three loads differ at RATE and are corrected. Batches share the rate leases of the channel. The statistics hold more
    batches in progress. Every worker, not one, enters the buckets of each minute in the index once.
    """
    loads = {load.kind.name: load for load in _measure(_send_all)}
    writes = {
        "rate state of a channel": LEASES_PER_SECOND / RATE,
        "statistics of a flow": loads["statistics of a flow"].writes * measure_register(),
        "index of timers": BATCHES * TIMER_SHARDS / 60 / RATE,
    }
    return list((loads | {name: replace(loads[name], writes=units) for name, units in writes.items()}).values())


def measure_gate() -> list[Load]:
    """Measure a flow with at most ten messages in progress."""
    return [load for load in _measure(_send_paced, SMALL) if load.kind.name == "pacing state of a flow"]


def measure_changes() -> list[Load]:
    """Measure tags that start an event campaign, and only the keys that sends do not touch."""
    names = {"published changes", "event subscriptions", "campaign", "history of a contact"}
    return [load for load in _measure(_tag_all, SMALL) if load.kind.name in names]


@cache
def measure_register(under_way: int = BATCHES) -> float:
    """Return the write units of one write to the statistics while `under_way` batches are in progress."""
    with open_story() as story:
        statistics, flow = story.world.ports.statistics, FlowUid(new_uid())
        place, until = (story.api.workspace, flow, 0), story.now + timedelta(minutes=1)
        # This process writes one item; other processes write the others.
        batches = [new_uid() for _ in range(under_way // STATISTICS_SHARDS)]
        for batch in batches:
            statistics.register_batch(*place, batch, 10, until)
        nodes = [f"node.{name}.{word}" for name in ("one", "two") for word in ("entered", "here", "sent", "left.next")]
        with _watching(story):
            for batch in batches:
                statistics.record_batch(*place, batch, dict.fromkeys(["sent", "completed", *nodes], 10))
                statistics.register_batch(*place, new_uid(), 10, until)
        return story.meter.tally.write_units.total() / (2 * len(batches))


def _measure(run: Callable[[int], tuple[int, Tally]], sizes: tuple[int, int] = SIZES) -> list[Load]:
    (few, less), (many, more) = (run(contacts) for contacts in sizes)
    writes = _differ(less.write_places, more.write_places, many - few)
    reads = _differ(less.read_places, more.read_places, many - few)
    strange = {name for name in (*writes, *reads) if max(writes[name], reads[name]) > RARE}
    strange -= {kind.name for kind in KINDS}
    assert not strange, f"no kind of key for {sorted(strange)}"
    return [Load(kind, writes[kind.name], reads[kind.name]) for kind in KINDS]


def _differ(less: Mapping[Place, float], more: Mapping[Place, float], sends: int) -> defaultdict[str, float]:
    found: defaultdict[str, float] = defaultdict(float)
    for sign, places in ((1, more), (-1, less)):
        for place, units in places.items():
            found[_name(place)] += sign * units / sends
    return found


def _name(place: Place) -> str:
    """Return the kind of a place, or the place without its uids when no kind matches."""
    table, partition, sort = place
    plain = _HASH.sub("H", _ULID.sub("U", f"{partition}|{sort}"))
    text = f"{table.removeprefix('carillon-').replace('Table', '')} {plain}"
    return next((kind.name for kind in KINDS if re.fullmatch(kind.pattern, text)), text)


def _send_all(contacts: int) -> tuple[int, Tally]:
    with open_story() as story:
        story.set_up(contacts)
        limits = {"ratePerSecond": RATE, "dailyCap": 1_000_000_000, "prices": {"MESSAGE": "0.01"}}
        body = {"name": "Console", "type": "console", **limits}
        story.expect(200, story.api.put(f"/v1/channels/{story.channel}", body))
        story.expect(201, story.api.post("/v1/balance/topup", {"amount": "1000.00"}))
        wait = {"id": "wait", "type": "WAIT", "for": "PT1H"}
        campaign = story.campaign(story.send("one"), _tag(), wait, story.send("two"))
        with _watching(story):
            story.start(campaign)
            story.run()
            story.advance(HOUR, step=timedelta(seconds=30))
            story.advance(timedelta(seconds=10))
        return _finish(story, 2 * contacts)


def _send_paced(contacts: int) -> tuple[int, Tally]:
    with open_story() as story:
        story.set_up(contacts)
        campaign = story.short_campaign()
        with _watching(story):
            story.start(campaign, configuration={"maxConcurrentMessages": 10})
            story.advance(timedelta(minutes=1))
        return _finish(story, contacts)


def _tag_all(contacts: int) -> tuple[int, Tally]:
    """Change tags while a campaign listens to every tag and enrols no contact."""
    with open_story() as story:
        story.set_up(contacts)
        trigger = {"type": "event", "event": "contact.tagged", "when": {"tag": "nobody"}}
        uid = story.campaign({**story.send("hear"), "channelUid": story.channel}, trigger=trigger)
        story.expect(202, story.api.post(f"/v1/campaigns/{uid}/launch"))
        campaign = story.campaign(story.send("one"), _tag())
        with _watching(story):
            story.start(campaign)
            story.run()
            story.advance(timedelta(seconds=10))
        return _finish(story, contacts)


def _tag() -> dict[str, Any]:
    return {"id": "tag", "type": "TAG", "add": ["vip"]}


def _finish(story: MeteredStory, sends: int) -> tuple[int, Tally]:
    assert len(story.provider.calls) == sends, f"{len(story.provider.calls)} messages instead of {sends}"
    return sends, story.meter.tally
