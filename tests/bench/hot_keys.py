"""Which keys are hot: what is written and read by kind of key for each send, and over how many keys it spreads.

DynamoDB gives a partition 1,000 write units and 3,000 read units a second. A partition holds one item at least, so that
is the limit of an item; the items below one partition key are split over several partitions by their sort keys when
they stay hot, which takes it some minutes and works where these do not grow with time.
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

#: The load at which keys are looked at: sends a second, all of one flow by one channel, over so many contacts.
RATE, CONTACTS = 10_000, 1_000_000
#: What a partition gives, in units a second.
WRITES, READS = 1_000, 3_000
HOUR = timedelta(hours=1, minutes=1)
#: Two sizes: what a flow costs once falls out of their difference.
SIZES, SMALL = (40, 160), (20, 40)
#: Batches under way at RATE, when each of ten sends that follow one another takes a tenth of a second.
BATCHES = 1_000
#: What is written and read for less than every two hundredth send belongs to pages and jobs, and is no kind of its own.
RARE = 0.005

_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_HASH = re.compile(r"\b[0-9a-f]{40}\b")


@dataclass(frozen=True, slots=True)
class Kind:
    """Keys that share one load: `items` and `partitions` are how many there are of them at CONTACTS."""

    name: str
    #: Of the place, `table partition|sort` with U for every uid; what a query reads has no sort key.
    pattern: str
    items: int
    partitions: int
    #: Whether DynamoDB can split a partition key of it, between sort keys that do not grow with time.
    splits: bool = False


KINDS = (
    Kind("rows of a flow", r"Executions U#U#\d+\|.*", CONTACTS, count_shards(CONTACTS)),
    Kind("flows of a contact", r"Executions/byContact U#U\|U", CONTACTS, CONTACTS),
    Kind("contacts", r"Contacts U#C#\d+\|U", CONTACTS, CONTACT_SHARDS),
    Kind("history of a contact", r"Contacts U#[EDS]#.*", CONTACTS, CONTACTS),
    Kind("changes that are heard of", r"Contacts/news NEWS#\d+\|.*", CONTACTS, OUTBOX_SHARDS),
    Kind("listeners of a workspace", r"Catalog U#LISTENERS#events\|META", 1, 1),
    Kind("campaign", r"Catalog U#CAMPAIGN#U\|META", 1, 1),
    Kind("statistics of a flow", r"Catalog U#FLOW#U\|(S#\d+#\d+)?", STATISTICS_SHARDS, 1, splits=True),
    Kind("control of a flow", r"Catalog U#FLOW#U\|META", 1, 1),
    Kind("audience of a flow", r"Catalog U#FLOW#U\|A#\d+", CONTACTS // 10_000, 1),
    Kind("gate of a flow", r"Catalog U#FLOW#U\|GATE", 1, 1),
    Kind("purse of a flow", r"Catalog U#PURSE#U\|MONEY", 1, 1),
    Kind("balance of a workspace", r"Catalog U#BALANCE\|MONEY", 1, 1),
    Kind("line of a channel", r"Catalog U#CHANNEL#U\|LINE", 1, 1),
    Kind("day of a channel", r"Catalog U#CHANNEL#U\|SENT#.*", 1, 1),
    Kind("channel and circuit", r"Catalog U#CHANNEL#U\|(META|CIRCUIT)?", 1, 1),
    Kind("workspace", r"Catalog U#WORKSPACE#U\|META", 1, 1),
    Kind("index of timers", r"Timers \d{10}#INDEX\|.*", TIMER_SHARDS, 1),
    Kind("timers of a minute", r"Timers \d{12}#\d\|U?", CONTACTS, TIMER_SHARDS),
)


@dataclass(frozen=True, slots=True)
class Load:
    """Write and read units of a kind for each send, or change that is heard of."""

    kind: Kind
    writes: float
    reads: float

    def of_items(self) -> float:
        """How many sends a second its items bear."""
        return self._bears(self.kind.items)

    def of_partitions(self) -> float:
        """How many its partition keys bear before DynamoDB has split any."""
        return self._bears(self.kind.partitions)

    def _bears(self, keys: int) -> float:
        most = max(self.writes / WRITES, self.reads / READS) / keys
        return 1 / most if most else float("inf")


def measure() -> dict[str, Any]:
    """For the JSON and the table."""
    groups = {"send": measure_sends(), "send of a paced flow": measure_gate(), "change heard of": measure_changes()}
    kinds = [_show(each, load) for each, loads in groups.items() for load in loads if load.writes or load.reads]
    return {"rate": RATE, "contacts": CONTACTS, "kinds": kinds}


def _show(each: str, load: Load) -> dict[str, Any]:
    keys = {"items": load.kind.items, "partitions": load.kind.partitions}
    bears = {"items_bear": load.of_items(), "partitions_bear": load.of_partitions()}
    return {"kind": load.kind.name, "for_each": each, "writes": load.writes, "reads": load.reads, **keys, **bears}


def measure_sends() -> list[Load]:
    """Of SEND, TAG, WAIT 1 h, SEND: prepaid, by a channel with a rate and a cap. AssertionError for a new kind of key.

    Three are otherwise at RATE than here: batches find the line of the channel busy, and the statistics full of others
    that are under way; and every worker, not one, enters the buckets of each minute in the index once.
    """
    loads = {load.kind.name: load for load in _measure(_send_all)}
    writes = {
        "line of a channel": LEASES_PER_SECOND / RATE,
        "statistics of a flow": loads["statistics of a flow"].writes * measure_register(),
        "index of timers": BATCHES * TIMER_SHARDS / 60 / RATE,
    }
    return list((loads | {name: replace(loads[name], writes=units) for name, units in writes.items()}).values())


def measure_gate() -> list[Load]:
    """Of a flow that may have ten messages under way."""
    return [load for load in _measure(_send_paced, SMALL) if load.kind.name == "gate of a flow"]


def measure_changes() -> list[Load]:
    """Of tags that an event campaign hears of: only what the sends do not touch."""
    names = {"changes that are heard of", "listeners of a workspace", "campaign", "history of a contact"}
    return [load for load in _measure(_tag_all, SMALL) if load.kind.name in names]


@cache
def measure_register(under_way: int = BATCHES) -> float:
    """Write units of one write to the statistics while so many batches are under way."""
    with open_story() as story:
        statistics, flow = story.world.ports.statistics, FlowUid(new_uid())
        place, until = (story.api.workspace, flow, 0), story.now + timedelta(minutes=1)
        # This process counts on one item; the others are those of other processes.
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
    """The kind of a place, or the place itself without its uids."""
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
    """A campaign hears of every tag and takes nobody in."""
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
