"""Filters compiled: the same answers as the conditions that they are made of, and which comparison decided."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from chalicelib.core.segments.filter import Finding, compile_filter, explain
from chalicelib.model.comparison import Comparison
from chalicelib.model.conditions import When
from chalicelib.model.contact import Contact
from chalicelib.model.event import Event
from chalicelib.model.ids import NodeId
from chalicelib.model.segment import SegmentFilter
from chalicelib.model.steps import StepContext
from tests.builders import NOW, build_contact

FILTER: TypeAdapter[Comparison] = TypeAdapter(SegmentFilter)
WHEN: TypeAdapter[Comparison] = TypeAdapter(When)
DAY = timedelta(days=1)
VIP, GERMAN = {"tag": "vip"}, {"field": "attributes.country", "value": "DE"}
ORDERED = {"event": "order.placed"}


def read(written: object) -> Comparison:
    return FILTER.validate_json(json.dumps(written))


def did(number: int, days: float = 0, name: str = "order.placed", **properties: Any) -> Event:
    moment = NOW - DAY * days
    return Event(id=str(number), name=name, contact_uid="ann", occurred_at=moment, properties=properties)


def asks(written: object, *history: Event, **fields: Any) -> bool | None:
    contact = build_contact(**fields)
    return compile_filter(read(written), NOW).includes(contact, history or None)


def findings(written: object, *history: Event, **fields: Any) -> tuple[Finding, ...]:
    return explain(read(written), build_contact(**fields), history, NOW)


class TestHistoryIsAskedForLast:
    def test_what_other_comparisons_settle_needs_none(self) -> None:
        assert asks({"all": [ORDERED, VIP]}) is False
        assert asks({"any": [ORDERED, VIP]}, tags=("vip",)) is True
        assert asks({"not": [ORDERED, VIP]}, tags=("vip",)) is False
        assert asks({"all": [{"not": ORDERED}, {"any": [VIP, GERMAN]}]}) is False

    def test_what_they_leave_open_does(self) -> None:
        assert asks({"all": [ORDERED, VIP]}, tags=("vip",)) is None
        assert asks({"any": [ORDERED, VIP]}) is None
        assert asks({"not": ORDERED}) is None
        assert asks({"all": [ORDERED, VIP]}, did(1), tags=("vip",)) is True

    def test_only_events_that_can_matter_are_read(self) -> None:
        recent = {"event": "a", "within": "P30D"}
        members = compile_filter(read({"all": [recent, {"event": "b", "within": "P7D"}, VIP]}), NOW)
        assert members.required_events == {"a", "b"}
        assert members.since == NOW - DAY * 30
        assert compile_filter(read({"all": [recent, ORDERED]}), NOW).since is None
        assert compile_filter(read(VIP), NOW).required_events == frozenset()


class TestEvents:
    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({}, True),
            ({"times": 3}, True),
            ({"times": 4}, False),
            ({"is": False}, False),
            ({"op": "eq", "value": 3}, True),
            ({"op": "ne", "value": 3}, False),
            ({"op": "gt", "value": 2}, True),
            ({"op": "lte", "value": 2}, False),
            ({"op": "lt", "value": 1, "within": "PT1H"}, False),
            ({"op": "exists", "value": False}, False),
            ({"op": "exists"}, True),
            ({"op": "eq", "value": 1, "within": "P1D"}, True),
            ({"op": "eq", "value": 2, "where": {"property": "total", "op": "gte", "value": 20}}, True),
            ({"within": "P30D", "where": {"property": "total", "value": 30}}, False),
        ],
    )
    def test_they_are_counted(self, fields: Mapping[str, object], expected: bool) -> None:
        history = (did(1, 0, total=10), did(2, 5, total=20), did(3, 40, total=30), did(4, 0, "other", total=99))
        assert asks({**ORDERED, **fields}, *history) is expected

    def test_what_was_done_after_the_moment_does_not_count(self) -> None:
        assert asks(ORDERED, did(1, days=-1)) is False


class TestTagsAndConsent:
    @pytest.mark.parametrize(
        ("written", "has", "lacks"),
        [
            ({}, True, False),
            ({"is": False}, False, True),
            ({"op": "exists"}, True, False),
            ({"op": "exists", "value": False}, False, True),
            ({"op": "eq", "value": False}, False, True),
            ({"op": "ne", "value": True}, False, True),
        ],
    )
    def test_a_tag_is_there_or_not(self, written: Mapping[str, object], has: bool, lacks: bool) -> None:
        assert (asks({**VIP, **written}, tags=("vip",)), asks({**VIP, **written})) == (has, lacks)

    @pytest.mark.parametrize(
        ("written", "granted", "revoked", "never_asked"),
        [
            ({}, True, False, False),
            ({"is": None}, False, False, True),
            ({"op": "eq", "value": "REVOKED"}, False, True, False),
            ({"op": "ne", "value": "REVOKED"}, True, False, True),
            ({"op": "in", "value": ["REVOKED", "GRANTED"]}, True, True, False),
            ({"op": "exists", "value": False}, False, False, True),
        ],
    )
    def test_a_consent_is_what_was_said(
        self, written: Mapping[str, object], granted: bool, revoked: bool, never_asked: bool
    ) -> None:
        asked = {"consent": "email", "messageType": "NEWSLETTER", **written}
        said = [{"email": {"NEWSLETTER": state}} for state in ("GRANTED", "REVOKED")]
        answers = [asks_of(asked, consent) for consent in (*said, {})]
        assert answers == [granted, revoked, never_asked]


def asks_of(written: object, consent: Mapping[str, Any]) -> bool | None:
    stored = json.loads(build_contact().model_dump_json()) | {"consent": consent}
    return compile_filter(read(written), NOW).includes(Contact.model_validate_json(json.dumps(stored)))


class TestExplained:
    def test_the_comparison_that_fails_is_named_with_what_was_found(self) -> None:
        written = {"all": [VIP, {"any": [GERMAN, {**ORDERED, "times": 2}]}]}
        country, ordered = findings(written, did(1), tags=("vip",), attributes={"country": "AT"})[1:]
        assert (country.path, country.found, country.holds) == ("filter.all[1].any[0]", "AT", False)
        assert (ordered.path, ordered.found, ordered.holds) == ("filter.all[1].any[1]", 1, False)
        assert country.decides
        assert ordered.decides

    def test_what_would_not_change_the_answer_does_not_decide(self) -> None:
        found = findings({"all": [VIP, {"any": [GERMAN, ORDERED]}]}, attributes={"country": "DE"})
        assert [(each.path, each.decides) for each in found] == [
            ("filter.all[0]", True), ("filter.all[1].any[0]", False), ("filter.all[1].any[1]", False),
        ]  # fmt: skip

    def test_below_not_it_is_what_holds_that_excludes(self) -> None:
        one = findings({"not": VIP}, tags=("vip",))
        assert [(each.path, each.holds, each.decides) for each in one] == [("filter.not", True, True)]
        two = findings({"not": [VIP, GERMAN]}, tags=("vip",))
        assert [(each.path, each.decides) for each in two] == [("filter.not[0]", True), ("filter.not[1]", False)]
        (alone,) = findings(VIP, tags=("vip",))
        assert (alone.path, alone.found, alone.holds) == ("filter", True, True)


# ---- the same as the conditions of a campaign ----

_FIELDS = st.sampled_from(["attributes.a", "attributes.b", "firstName", "email", "status", "createdAt"])
_TEXTS = st.sampled_from(["DE", "ann", "ACTIVE", "2026-03-01", ""])
_OPS = st.one_of(
    st.tuples(st.sampled_from(["eq", "ne"]), st.one_of(_TEXTS, st.integers(0, 3), st.booleans())),
    st.tuples(st.just("in"), st.lists(st.one_of(_TEXTS, st.integers(0, 3)), max_size=3)),
    st.tuples(st.sampled_from(["contains", "startsWith"]), _TEXTS),
    st.tuples(st.sampled_from(["gt", "lte"]), st.integers(0, 3)),
    st.tuples(st.just("exists"), st.booleans()),
    st.tuples(st.sampled_from(["before", "after"]), st.just("2026-03-01")),
)
_LEAVES = st.one_of(
    st.builds(lambda field, op: {"field": field, "op": op[0], "value": op[1]}, _FIELDS, _OPS),
    st.builds(lambda tag, is_: {"tag": tag, "is": is_}, st.sampled_from(["vip", "new"]), st.booleans()),
    st.builds(lambda said: {"consent": "email", "is": said}, st.sampled_from(["GRANTED", "REVOKED", None])),
    st.builds(
        lambda name, op, value: {"event": name, "op": op, "value": value},
        st.sampled_from(["a", "b"]), st.sampled_from(["eq", "gte", "lt"]), st.integers(0, 3),
    ),
    st.builds(lambda is_, times: {"event": "a", "is": is_, "times": times, "within": "P7D"}, st.booleans(),
              st.integers(1, 3)),
)  # fmt: skip
TREES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=8,
)
CONTACTS = st.builds(
    lambda tags, attributes, name: build_contact(tags=tuple(tags), attributes=attributes, first_name=name),
    st.sets(st.sampled_from(["vip", "new"])),
    st.dictionaries(st.sampled_from(["a", "b"]), st.one_of(_TEXTS, st.integers(0, 3), st.booleans())),
    st.one_of(st.none(), _TEXTS),
)
HISTORIES = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 14)), max_size=5).map(
    lambda given_: tuple(did(number, days, name) for number, (name, days) in enumerate(given_))
)


@given(TREES, CONTACTS, HISTORIES)
def test_a_filter_says_what_the_same_condition_says(written: Any, contact: Contact, history: tuple[Event, ...]) -> None:
    context = StepContext(
        now=NOW, entered=NOW, campaign="c", node=NodeId("n"), contact=contact, timezone="UTC", results={}, receipts={},
        history=history,
    )  # fmt: skip
    holds = bool(WHEN.validate_json(json.dumps(written)).holds(context))
    members = compile_filter(read(written), NOW)
    assert members.includes(contact, history) is holds
    assert members.includes(contact) in {holds, None}
    found = explain(read(written), contact, history, NOW)
    assert any(each.decides for each in found)
