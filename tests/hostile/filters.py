"""More than 200 hostile filters."""

import json
from collections.abc import Iterator
from itertools import product

from tests.hostile.request import Ask

PREVIEW = "/v1/segments/preview"
LEAF: object = {"tag": "vip"}
OPS = (
    "eq", "ne", "gt", "gte", "lt", "lte", "in", "contains", "startsWith", "exists", "before", "after", "within", "like",
    "$where", "regex",
)  # fmt: skip
TYPES: tuple[object, ...] = (None, True, 1.5, "x", [], {}, ["x", 1, None], {"$gt": ""}, [[["x"]]])
PATTERNS = (
    "(a+)+$", "^(x*)*y", ".*", "[", "\\", "(?R)", "%", "_", "*", "${jndi:ldap://x}", "'; DROP TABLE contacts; --",
    "{{ 7 * 7 }}", "\u202egpj.exe", "\u200b", "\N{PILE OF POO}" * 200, "e\u0301" * 500, "\u0130\u0131\ufb00\u1e9e",
    "\uffff", "\u0600" * 300, "a" * 1_024, "a" * 1_025,
)  # fmt: skip
NUMBERS = ("1e308", "-1e308", "5e-324", "1e309", "-1e999", "9" * 400, "9" * 4_301, "0." + "9" * 2_000, "-0", "1e-400")
FIELDS = (
    "__class__", "attributes.__class__", "attributes.__proto__", "constructor", "attributes.", "attributes..a",
    "attributes.a.b", "attributes." + "a" * 65, "rev", "uid", "consent", "suppressed",
    "\N{CYRILLIC SMALL LETTER IE}mail",
    "email\u200b", "", " email", "EMAIL", "attributes.\ud7ff",
)  # fmt: skip
SPANS: tuple[object, ...] = (
    "P1000000Y", "P1Y", "PT", "P", "-P1D", "P0D", "P366D", "PT1e9S", "P" + "9" * 400 + "D", "1 day", 10**12, -1, True,
    {"hours": 1e9}, {"hours": -1}, {"years": 1}, {}, [],
)  # fmt: skip


def _depths() -> Iterator[tuple[str, object, tuple[str, ...]]]:
    for depth, (name, wrap) in product(
        (2, 8, 9, 20, 30),
        {"all": lambda x: {"all": [x]}, "any": lambda x: {"any": [x]}, "not": lambda x: {"not": x}}.items(),
    ):
        written = LEAF
        for _ in range(depth - 1):
            written = wrap(written)
        yield f"{name} {depth} deep", written, ("8",) if depth > 8 else ()


def _widths() -> Iterator[tuple[str, object, tuple[str, ...]]]:
    for width, name in product((100, 101, 3_000), ("all", "any", "not")):
        yield f"{name} of {width}", {name: [LEAF] * width}, ("100",) if width > 100 else ()
    yield "a tree of 2,500", {"all": [{"any": [LEAF] * 50}] * 50}, ("100",)
    yield "nothing 4,900 times", {"all": [{}] * 4_900}, ("filter.all",)
    yield "nothing in lists", {"all": [{"any": [{}] * 90}] * 50}, ("filter.all",)
    yield "a list of 9,900 values", {"field": "attributes.x", "op": "in", "value": list(range(9_900))}, ()
    yield "a list of 30,000 values", {"field": "attributes.x", "op": "in", "value": [1] * 30_000}, ("10,000",)
    yield "a long text", {"field": "attributes.x", "value": "x" * 200_000}, ("131072",)
    where = {"any": [{"property": "x", "value": 1}] * 100}
    yield "a hundred where", {"event": "a", "where": where}, ()
    yield "a hundred times a hundred where", {"all": [{"event": "a", "where": where}] * 100}, ("131072",)
    yield "ten times a hundred where", {"all": [{"event": "a", "where": where}] * 10}, ("100",)
    yield "many events", {"all": [{"event": f"e{n}", "op": "gte", "value": 1_000} for n in range(100)]}, ()


def _leaves() -> Iterator[tuple[str, object, tuple[str, ...]]]:
    for op, value in product(OPS, TYPES):
        yield f"attributes.a {op} {value!r}", {"field": "attributes.a", "op": op, "value": value}, ()
    for op, pattern in product(("contains", "startsWith", "eq"), PATTERNS):
        yield f"{op} {pattern[:12]!r}", {"field": "firstName", "op": op, "value": pattern}, ()
    for name in FIELDS:
        yield f"field {name[:20]!r}", {"field": name, "op": "exists"}, ()
    for span in SPANS:
        yield f"within {str(span)[:20]}", {"event": "a", "within": span}, ()
    for kind, value in product(("tag", "event", "consent", "all", "any", "not"), TYPES):
        yield f"{kind} is {value!r}", {kind: value}, ()
    for number in (0, 1_000, 1_001, -1, 1.5, 10**30, "1"):
        yield f"{number} times", {"event": "a", "times": number}, ()


def asks() -> list[Ask]:
    """Return all filters as text, because Python cannot represent some of the numbers."""
    found = [*_depths(), *_widths(), *_leaves()]
    written = [Ask(name, PREVIEW, {"filter": tree}, said) for name, tree, said in found]
    head, tail = b'{"filter": {"field": "attributes.x", "op": "gt", "value": ', b"}}"
    written += [Ask(f"a number like {each[:12]}", PREVIEW, head + each.encode() + tail) for each in NUMBERS]
    whole = json.dumps({"filter": LEAF})
    return [*written, *(Ask(f"filter {raw[:9]!r}", PREVIEW, raw.encode()) for raw in (whole[:-1], "[]", "null", '"x"'))]
