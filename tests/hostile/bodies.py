"""Bodies of up to 1 MB that are costly to parse: as many values, names and brackets as fit."""

from collections.abc import Iterator

from tests.hostile.request import Ask

CONTACTS, EVENTS, CAMPAIGNS, FLOWS = "/v1/contacts", "/v1/events", "/v1/campaigns", "/v1/flows"
_GZIP = b"\x1f\x8b\x08\x00" + b"\x00" * 2_000


def _many(head: bytes, item: bytes, count: int, tail: bytes) -> bytes:
    return head + b",".join([item] * count) + tail


def _names(count: int) -> bytes:
    return b",".join(b'"f%d":0' % number for number in range(count))


def too_many() -> Iterator[Ask]:
    """Return bodies with too many values, which are refused with the limit."""
    limit = ("body", "6,000")
    yield Ask("95,000 unknown fields", CONTACTS, b"{" + _names(95_000) + b"}", limit)
    yield Ask("95,000 attributes", CONTACTS, b'{"attributes":{' + _names(95_000) + b"}}", limit)
    yield Ask("500,000 numbers", CONTACTS, _many(b'{"attributes":{"x":[', b"0", 500_000, b"]}}"), limit)
    yield Ask("340,000 empty lists", CONTACTS, _many(b'{"attributes":{"x":[', b"[]", 340_000, b"]}}"), limit)
    yield Ask("340,000 empty tags", CONTACTS, _many(b'{"tags":[', b'""', 340_000, b"]}"), limit)
    yield Ask("130,000 control characters", CONTACTS, _many(b'{"tags":[', b'"\\u0001"', 110_000, b"]}"), limit)
    yield Ask(
        "commas and quotes in a text", CONTACTS, b'{"firstName":"' + b'\\",' * 300_000 + b'"}', ("firstName", "200")
    )
    yield Ask("300,000 events", EVENTS, _many(b'{"events":[', b"{}", 300_000, b"]}"), ("body", "10,000"))
    yield Ask("300,000 steps", CAMPAIGNS, _many(b'{"name":"x","steps":[', b"{}", 300_000, b"]}"), ("body", "15,000"))
    yield Ask("250,000 contacts", FLOWS, _many(b'{"contactUids":[', b'"a"', 250_000, b"]}"), ("body", "12,000"))
    twice = b"{" + _names(95_000) + b',"f94999":0}'
    yield Ask("95,000 names and one of them twice", CONTACTS, twice, limit)


def as_many_as_may_be() -> Iterator[Ask]:
    """Return the costliest bodies that pass the first checks."""
    yield Ask("5,900 unknown fields", CONTACTS, b"{" + _names(5_900) + b"}", ("f0", "more"))
    yield Ask("5,900 names and one of them twice", CONTACTS, b"{" + _names(5_900) + b',"f5899":0}', ("twice",))
    yield Ask("5,900 attributes", CONTACTS, b'{"attributes":{' + _names(5_900) + b"}}", ("attributes", "100"))
    yield Ask("5,900 empty tags", CONTACTS, _many(b'{"tags":[', b'""', 5_900, b"]}"), ("tags[0]",))
    yield Ask("2,900 empty lists", CONTACTS, _many(b'{"attributes":{"x":[', b"[]", 2_900, b"]}}"), ("attributes.x",))
    yield Ask("4,900 empty events", EVENTS, _many(b'{"events":[', b"{}", 4_900, b"]}"), ("events[0]",))
    yield Ask("7,000 steps", CAMPAIGNS, _many(b'{"name":"x","steps":[', b"{}", 7_000, b"]}"), ("steps", "1000"))
    uids = _many(b'{"channelUid":"a","campaignUid":"b","contactUids":[', b'"\xc3\xa9 "', 11_900, b"]}")
    yield Ask("11,900 contacts that are none", FLOWS, uids, ("contactUids[0]",))
    controls = _many(b'{"tags":[', b'"\\u0001"', 5_900, b"]}")
    yield Ask("5,900 control characters", CONTACTS, controls, ("control character",))


def broken() -> Iterator[Ask]:
    """Return bodies that are not JSON or are too large."""
    yield Ask("a million brackets", CONTACTS, b"[" * 1_000_000, ("JSON",))
    yield Ask("a million braces", CONTACTS, b'{"a":' * 200_000, ("JSON",))
    yield Ask("500,000 brackets that are closed", CONTACTS, b"[" * 500_000 + b"]" * 500_000, ("6,000",))
    yield Ask("a text that never ends", CONTACTS, b'{"firstName":"' + b"x" * 1_000_000, ("JSON",))
    yield Ask("backslashes without an end", CONTACTS, b'{"firstName":"' + b"\\" * 999_999, ("JSON",))
    yield Ask("quotes and commas without an end", CONTACTS, b'",' * 500_001, ("body",))
    yield Ask("a number of a million digits", CONTACTS, b'{"attributes":{"x":' + b"9" * 1_000_000 + b"}}", ("JSON",))
    yield Ask("a number that is infinite", CONTACTS, b'{"attributes":{"x":1e999}}', ("attributes.x",))
    yield Ask("a name of a megabyte", CONTACTS, b'{"' + b"n" * 1_000_000 + b'":0}')
    yield Ask("63 levels", CONTACTS, b'{"a":' * 63 + b"1" + b"}" * 63, ("a",))
    yield Ask("65 levels", CONTACTS, b'{"a":' * 65 + b"1" + b"}" * 65, ("64",))
    yield Ask("a lone surrogate", CONTACTS, b'{"firstName":"\\ud800"}')
    yield Ask("a NUL", CONTACTS, b'{"firstName":"a\\u0000b"}', ("firstName",))
    yield Ask("two megabytes", CONTACTS, b'{"firstName":"' + b"x" * 2_000_000 + b'"}', ("1048576",))
    yield Ask("what is compressed", CONTACTS, _GZIP, ("UTF-8",), headers={"Content-Encoding": "gzip"})
    yield Ask("another type", CONTACTS, b"<x/>", ("application/json",), headers={"Content-Type": "text/xml"})


def asks() -> list[Ask]:
    """Return all hostile bodies."""
    return [*too_many(), *as_many_as_may_be(), *broken()]
