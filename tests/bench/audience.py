"""An audience at several sizes: its import from an uploaded file, a segment over it, and a flow over the segment.

Units are metered in process; seconds and memory are those of the running stack. Figures per contact should not grow.
"""

import contextlib
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from tests.bench.calls import WATCHED, MeteredStory, open_story
from tests.bench.load import prepare
from tests.bench.meter import Tally
from tests.bench.stack import Stack, measured

#: Contacts of the audience. The meter reads every item before and after its write, so its sizes are smaller.
SIZES = (1_000, 10_000, 100_000)
METERED_SIZES = (1_000, 10_000)
#: Longest time that a job may take, in seconds.
SECONDS_A_CONTACT, AT_LEAST_SECONDS = 0.1, 120
HEADER = "externalId,email,firstName,tags,attributes.city,attributes.score\n"
CITIES = ("Berlin", "Hamburg", "Köln", "Wien")
#: A filter of three comparisons; about one contact in nine is a member.
FILTER = {
    "all": [
        {"field": "attributes.city", "op": "eq", "value": CITIES[0]},
        {"any": [{"tag": "vip"}, {"field": "email", "op": "startsWith", "value": "b1"}]},
    ]
}


def write_rows(count: int) -> str:
    """Return the CSV file. Its contacts live in four cities, and every third is a VIP."""
    rows = (
        f"b{n},b{n}@example.com,Name{n},{'vip' if n % 3 == 0 else 'new'},{CITIES[n % len(CITIES)]},{n % 1_000}\n"
        for n in range(count)
    )
    return HEADER + "".join(rows)


def count_members(count: int) -> int:
    """Return the number of contacts that match FILTER."""
    return sum(n % len(CITIES) == 0 and (n % 3 == 0 or str(n).startswith("1")) for n in range(count))


# ---- the running stack ----


def measure_stack(stack: Stack, count: int) -> dict[str, Any]:
    """Measure one size on an empty stack. Raise RuntimeError when a count is wrong."""
    imported = _import(stack, count)
    segment = stack.post("/v1/segments", {"name": "Three comparisons", "filter": FILTER})["uid"]
    previewed = _preview(stack, segment, count)
    enrolled = _enrol(stack, segment, count)
    memory = {name: usage.peak_mb for name, usage in stack.usage().items()}
    return {
        "contacts": count,
        "members": count_members(count),
        "import": imported,
        "preview": previewed,
        "expand": enrolled,
        "peak_mb": memory,
    }


def _import(stack: Stack, count: int) -> dict[str, Any]:
    """Measure from the upload to the completed import."""
    content = write_rows(count).encode()
    with measured(stack) as figures:
        _upload(stack, content)
        task = stack.post("/v1/contacts/import", {"fileName": "audience.csv"})["uid"]
        done = stack.wait_for(f"/v1/imports/{task}", lambda shown: bool(shown["completedAt"]), _patience(count))
    _check("contacts created", done["created"], count)
    return {**figures, "bytes": len(content), **_by_contact(figures, count)}


def _upload(stack: Stack, content: bytes) -> None:
    place = stack.post("/v1/uploads", {"fileName": "audience.csv"})
    request = urllib.request.Request(place["url"], method="PUT", data=content)
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()


def _preview(stack: Stack, segment: str, count: int) -> dict[str, Any]:
    with measured(stack) as figures:
        shown = stack.post("/v1/segments/preview", {"segmentUid": segment})
    off = abs(shown["count"] - count_members(count))
    # 95 of 100 estimates are within their error, so twice the error is a bug.
    if off > 2 * shown["error"]:
        raise RuntimeError(f"{shown['count']} ± {shown['error']} members instead of {count_members(count)}")
    return {**figures, "count": shown["count"], "error": shown["error"], "exact": shown["exact"]}


def _enrol(stack: Stack, segment: str, count: int) -> dict[str, Any]:
    """Measure from the POST to the last execution. Slow pacing keeps the flow from sending during the measurement."""
    wish = {**prepare(stack), "segmentUid": segment, "configuration": {"pauseBetweenContactsMs": 60_000}}
    with measured(stack) as figures:
        flow = stack.post("/flows", wish)["uid"]
        shown = stack.wait_for(f"/flows/{flow}", lambda shown: shown["status"] != "queued", _patience(count))
    _check("contacts of the flow", shown["contactCount"], count_members(count))
    _check("rows", stack.count_rows().total(), count_members(count))
    stack.call("PATCH", f"/flows/{flow}", {"status": "cancelled"})
    return {**figures, **_by_contact(figures, count)}


def _by_contact(figures: Mapping[str, Any], count: int) -> dict[str, float]:
    cpu = sum(figures["cpu_seconds"].values())
    return {"ms_per_contact": 1_000 * figures["seconds"] / count, "cpu_ms_per_contact": 1_000 * cpu / count}


def _patience(count: int) -> float:
    return max(AT_LEAST_SECONDS, count * SECONDS_A_CONTACT)


def _check(what: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise RuntimeError(f"{found:,} {what} instead of {wanted:,}")


# ---- the meter ----


def measure_units(sizes: Sequence[int] = METERED_SIZES) -> list[dict[str, Any]]:
    """Return read and write units, calls and SQS requests per contact, metered in process."""
    return [_meter(count) for count in sizes]


def _meter(count: int) -> dict[str, Any]:
    with open_story() as story:
        story.set_up(contacts=0)
        with _booked(story) as imported:
            story.world.ports.files.put(f"{story.api.workspace}/uploads/audience.csv", write_rows(count).encode())
            story.expect(202, story.api.post("/v1/contacts/import", {"fileName": "audience.csv"}))
            story.world.drain("JobQueue")
        wish = {"name": "Three comparisons", "filter": FILTER}
        segment = story.expect(201, story.api.post("/v1/segments", wish))["uid"]
        with _booked(story) as previewed:
            began = time.process_time()
            shown = story.expect(200, story.api.post("/v1/segments/preview", {"segmentUid": segment}))
            spent = time.process_time() - began
        _check("members in the preview", shown["count"], count_members(count)) if shown["exact"] else None
        # A contact that is created after the flow starts is no member, so the clock moves past the imported pages.
        story.time_travel.shift(timedelta(seconds=1))
        flow = {"campaignUid": story.short_campaign(), "channelUid": story.channel, "segmentUid": segment}
        paced = {"configuration": {"pauseBetweenContactsMs": 60_000}}
        with _booked(story) as expanded:
            uid = story.expect(201, story.api.post("/flows", {**flow, **paced}))["uid"]
            story.world.drain("JobQueue")
        _check("contacts of the flow", story.flow(uid)["contactCount"], count_members(count))
    parts = {"import": imported, "preview": previewed, "expand": expanded}
    return {"contacts": count, **{name: _show(tally, count) for name, tally in parts.items()}, "preview_cpu": spent}


@contextmanager
def _booked(story: MeteredStory) -> Iterator[Tally]:
    tally = Tally()
    with contextlib.ExitStack() as stack:
        stack.enter_context(story.meter.watch(*(story.world.aws.client(service) for service in WATCHED)))
        stack.enter_context(story.meter.book_to(tally))
        yield tally


def _show(tally: Tally, count: int) -> dict[str, float]:
    return {
        "calls": tally.own_calls / count,
        "write_units": tally.write_units.total() / count,
        "read_units": sum(tally.read_units.values()) / count,
        "sqs_requests": tally.sqs_requests / count,
    }
