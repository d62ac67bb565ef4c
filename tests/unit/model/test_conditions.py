"""Conditions: matching of contacts and messages, parsing, and rejected input."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from chalicelib.model.base import rfc3339
from chalicelib.model.comparison import MAX_WORDS, Comparison
from chalicelib.model.conditions import MatchedBranch, When, check_size, depth, first_matching, leaves
from chalicelib.model.contact import Contact
from chalicelib.model.execution import DeliveryReceipt, Engagement, MessageOutcome, MessageResult
from chalicelib.model.ids import NodeId
from chalicelib.model.operators import Op
from chalicelib.model.steps import StepContext
from tests.builders import NOW

WHEN: TypeAdapter[Comparison] = TypeAdapter(When)
HELLO = NodeId("hello")
_CONTACT = {"uid": "ann", "email": "Ann@example.com", "createdAt": rfc3339(NOW), "updatedAt": rfc3339(NOW)}
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def _read(written: object) -> Comparison:
    return WHEN.validate_json(json.dumps(written))


def _context(
    contact: Mapping[str, Any] | None = None,
    result: MessageResult | None = None,
    receipt: DeliveryReceipt | None = None,
) -> StepContext:
    return StepContext(
        now=NOW,
        entered=NOW,
        campaign="camp",
        node=NodeId("c"),
        contact=Contact.model_validate_json(json.dumps({**_CONTACT, **(contact or {})})),
        timezone="UTC",
        results={HELLO: result} if result else {},
        receipts={HELLO: receipt} if receipt else {},
    )


def _why(written: object, contact: Mapping[str, Any] | None = None) -> str:
    return _read(written).holds(_context(contact))


def _asks(op: str, value: object = None, **more: object) -> dict[str, object]:
    given_value = {} if value is None else {"value": value}
    return {"field": "attributes.x", "op": op, **given_value, **more}


def _fits(op: str, found: object, value: object) -> bool:
    return bool(_why(_asks(op, value), {"attributes": {"x": found}}))


LIST = ["a", "b"]


@pytest.mark.parametrize(
    ("op", "found", "value", "holds"),
    [
        ("eq", "a", "a", True), ("eq", "a", "A", False), ("eq", "5", 5, False), ("eq", 5, 5, True),
        ("eq", 5, 5.0, True),
        ("eq", 0.1, 0.1, True), ("eq", True, True, True), ("eq", True, 1, False), ("eq", 1, True, False),
        ("eq", False, 0, False), ("eq", LIST, LIST, True), ("eq", LIST, ["b", "a"], False), ("eq", LIST, "a", False),
        ("eq", "", "", True), ("eq", "2026-03-02", "2026-03-02", True),
        ("ne", "a", "a", False), ("ne", "a", "b", True), ("ne", 5, "5", True), ("ne", True, False, True),
        ("ne", LIST, LIST, False), ("ne", LIST, "a", True),
        ("gt", 6, 5, True), ("gt", 5, 5, False), ("gt", 5.5, 5, True), ("gt", "6", 5, False), ("gt", True, 0, False),
        ("gte", 5, 5, True), ("gte", 4, 5, False), ("gte", LIST, 0, False),
        ("lt", 4, 5, True), ("lt", 5, 5, False), ("lt", -1, 0, True), ("lt", "4", 5, False), ("lt", False, 1, False),
        ("lte", 5, 5, True), ("lte", 6, 5, False), ("lte", 10**30, 10**30, True),
        ("in", "a", LIST, True), ("in", "c", LIST, False), ("in", 5, [4, 5], True), ("in", True, [1], False),
        ("in", 1, [True], False), ("in", "a", [], False), ("in", LIST, [LIST], True),
        ("contains", "Hello", "ell", True), ("contains", "Hello", "ELL", True), ("contains", "Hello", "x", False),
        ("contains", "Straße", "STRASSE", True), ("contains", LIST, "a", True), ("contains", LIST, "A", False),
        ("contains", [1, 2], 2, True), ("contains", [1, 2], True, False), ("contains", 5, "5", False),
        ("contains", True, "true", False),
        ("startsWith", "Hello", "he", True), ("startsWith", "Hello", "lo", False), ("startsWith", LIST, "a", False),
        ("startsWith", 55, "5", False),
        ("exists", "a", None, True), ("exists", "", None, True), ("exists", 0, True, True),
        ("exists", False, True, True),
        ("exists", "a", False, False), ("exists", [], True, True),
        ("before", "2026-03-02", "2026-03-03", True), ("before", "2026-03-03", "2026-03-03", False),
        ("before", "2026-03-02T23:00:00-02:00", "2026-03-03", False),
        ("before", "2026-03-02T23:00:00", "2026-03-03", False),
        ("before", "soon", "2026-03-03", False), ("before", 20260302, "2026-03-03", False),
        ("before", True, "2026-03-03", False),
        ("before", LIST, "2026-03-03", False), ("before", "", "2026-03-03", False),
        ("after", "2026-03-04", "2026-03-03", True), ("after", "2026-03-03", "2026-03-03", False),
        ("after", "2026-03-03T00:00:01Z", "2026-03-03", True), ("after", "2026-03-03", "2026-03-02T23:59:59Z", True),
        ("after", "2026-03-03", "2026-03-03T01:00:00+02:00", True), ("after", "2026-13-03", "2026-03-03", False),
        ("after", "9999-12-31T23:59:59-01:00", "2026-03-03", False),
        ("before", "0001-01-01T00:00:00+01:00", "2026-03-03", False),
    ],
)  # fmt: skip
def test_an_attribute_is_compared_as_what_it_is(op: str, found: object, value: object, holds: bool) -> None:
    assert _fits(op, found, value) is holds


@pytest.mark.parametrize(
    ("found", "within", "holds"),
    [
        ("2026-03-02T08:00:00Z", "PT1H", True),
        ("2026-03-02T07:59:59Z", "PT1H", False),
        ("2026-03-02T09:00:00Z", "PT1H", True),
        ("2026-03-02T09:00:01Z", "PT1H", False),
        ("2026-03-02", "PT9H", True),
        ("2026-03-01", {"days": 1}, False),
        ("yesterday", "P365D", False),
        (5, "P365D", False),
    ],
)
def test_within_looks_back_from_now(found: object, within: object, holds: bool) -> None:
    assert bool(_why(_asks("within", within=within), {"attributes": {"x": found}})) is holds


_VALUES: dict[Op, dict[str, object]] = {
    Op.IN: {"value": ["a", 0, False, ""]},
    Op.GT: {"value": -1}, Op.GTE: {"value": 0}, Op.LT: {"value": 1}, Op.LTE: {"value": 0},
    Op.BEFORE: {"value": "9999-01-01"}, Op.AFTER: {"value": "0001-01-02"}, Op.WITHIN: {"within": "P365D"},
    Op.CONTAINS: {"value": ""}, Op.STARTS_WITH: {"value": ""},
    Op.EQ: {"value": ""}, Op.NE: {"value": ""}, Op.EXISTS: {},
}  # fmt: skip


@pytest.mark.parametrize("contact", [{}, {"attributes": {"x": None}}], ids=["not there", "nothing"])
@pytest.mark.parametrize("op", list(Op))
def test_what_is_not_there_only_fits_ne(op: Op, contact: dict[str, Any]) -> None:
    assert bool(_why({"field": "attributes.x", "op": op.value, **_VALUES[op]}, contact)) is (op is Op.NE)


def test_what_is_not_there_can_be_asked_for() -> None:
    assert _why(_asks("exists", value=False)) == "attributes.x exists False"
    assert _why({"field": "firstName", "op": "exists", "value": False})
    assert not _why({"field": "firstName", "op": "exists", "value": False}, {"firstName": "Ann"})


@pytest.mark.parametrize(
    ("written", "contact"),
    [
        ({"field": "uid", "value": "ann"}, {}),
        ({"field": "externalId", "value": "7"}, {"externalId": "7"}),
        ({"field": "email", "op": "contains", "value": "@EXAMPLE."}, {}),
        ({"field": "phone", "op": "startsWith", "value": "+49"}, {"phone": "+4915112345678"}),
        ({"field": "firstName", "op": "in", "value": ["Ann", "Bob"]}, {"firstName": "Bob"}),
        ({"field": "lastName", "op": "ne", "value": "Lee"}, {"lastName": "Ray"}),
        ({"field": "locale", "op": "startsWith", "value": "de"}, {"locale": "de-DE"}),
        ({"field": "timezone", "value": "Europe/Berlin"}, {"timezone": "Europe/Berlin"}),
        ({"field": "status", "value": "ACTIVE"}, {}),
        ({"field": "status", "op": "in", "value": ["BLOCKED", "BOUNCED"]}, {"status": "BOUNCED"}),
        ({"field": "createdAt", "op": "after", "value": "2026-03-01"}, {}),
        ({"field": "createdAt", "op": "within", "within": "P1D"}, {}),
    ],
)
def test_the_fields_of_a_contact_can_be_asked(written: dict[str, Any], contact: dict[str, Any]) -> None:
    assert _why(written, contact)


def test_an_attribute_that_is_called_like_a_field_is_not_the_field() -> None:
    assert not _why({"field": "attributes.email", "op": "exists"})
    assert not _why({"field": "firstName", "op": "exists"}, {"attributes": {"firstName": "Ann"}})


def test_words_say_what_decided_and_stay_short() -> None:
    assert _why(_asks("gt", 5), {"attributes": {"x": 6}}) == "attributes.x gt 5"
    assert _why(_asks("exists"), {"attributes": {"x": 6}}) == "attributes.x exists"
    long = "y" * 1_000
    assert len(_why(_asks("eq", long), {"attributes": {"x": long}})) == MAX_WORDS
    assert len(_why({"all": [{"tag": "x"}] * 100}, {"tags": ["x"]})) == MAX_WORDS


def test_words_of_a_span_name_it() -> None:
    assert "P1D" in _why(_asks("within", within="P1D"), {"attributes": {"x": "2026-03-02"}})


def test_tags_are_there_or_not() -> None:
    vip = {"tags": ["vip"]}
    assert _why({"tag": "vip"}, vip) == "has the tag vip"
    assert _why({"tag": "vip", "is": True}, vip)
    assert _why({"tag": "vip", "is": False}) == "lacks the tag vip"
    assert not _why({"tag": "vip"})
    assert not _why({"tag": "vip", "is": False}, vip)
    assert not _why({"tag": "VIP"}, vip)


@pytest.mark.parametrize("said", ["GRANTED", "REVOKED", "PENDING", None])
@pytest.mark.parametrize("asked", ["GRANTED", "REVOKED", "PENDING", None])
def test_consent_is_what_was_said_for_this_kind_of_message(said: str | None, asked: str | None) -> None:
    contact = {"consent": {"email": {"MESSAGE": said}} if said else {}}
    written = {"consent": "email", "messageType": "MESSAGE", "is": asked}
    assert bool(_why(written, contact)) is (said == asked)


def test_consent_for_one_thing_is_not_consent_for_another() -> None:
    contact = {"consent": {"email": {"NEWSLETTER": "GRANTED"}}}
    assert _why({"consent": "email"}, contact) == "consent to email NEWSLETTER is GRANTED"
    assert not _why({"consent": "sms"}, contact)
    assert not _why({"consent": "email", "messageType": "MESSAGE"}, contact)


def _result(outcome: MessageOutcome, age: timedelta = HOUR, channel: str = "mail") -> MessageResult:
    return MessageResult(outcome, NOW - age, channel=channel)


_FINAL = {MessageOutcome.SKIPPED: "skipped", MessageOutcome.FAILED: "failed"}
_HEARD = {
    None: "sent",
    Engagement.SENT: "sent",
    Engagement.TIMED_OUT: "sent",
    Engagement.DELIVERED: "sent delivered",
    Engagement.OPENED: "sent delivered opened",
    Engagement.CLICKED: "sent delivered opened clicked",
    Engagement.REPLIED: "sent delivered opened replied",
    Engagement.BOUNCED: "sent bounced",
    Engagement.FAILED: "sent failed",
}


def _expected(outcome: MessageOutcome, engagement: Engagement | None) -> set[str]:
    """A receipt makes an unknown message a sent one; what was never handed over cannot be heard of."""
    if outcome in _FINAL:
        return {_FINAL[outcome]}
    if outcome is MessageOutcome.UNKNOWN and engagement is None:
        return {"unknown"}
    return set(_HEARD[engagement].split())


@pytest.mark.parametrize("engagement", [None, *Engagement])
@pytest.mark.parametrize("outcome", list(MessageOutcome))
def test_a_message_is_all_that_it_reached_and_nothing_else(
    outcome: MessageOutcome, engagement: Engagement | None
) -> None:
    result, receipt = _result(outcome), DeliveryReceipt(engagement, NOW) if engagement else None
    expected = _expected(outcome, engagement)
    assert {each.value for each in first_matching(result, receipt)} == expected
    for each in MatchedBranch:
        why = _read({"message": "hello", "is": each.value}).holds(_context(None, result, receipt))
        assert why == (f"message hello is {each.value}" if each.value in expected else "")


@pytest.mark.parametrize("each", list(MatchedBranch))
def test_a_message_that_the_walk_did_not_come_by_is_nothing(each: MatchedBranch) -> None:
    assert not _why({"message": "hello", "is": each.value})
    assert not _why({"message": "hello", "channelUsed": "mail"})


@pytest.mark.parametrize(
    ("is_", "sent_ago", "heard_ago", "holds"),
    [
        ("sent", HOUR, None, True),
        ("sent", DAY, None, True),
        ("sent", DAY + HOUR, None, False),
        ("opened", 5 * DAY, HOUR, True),
        ("opened", 5 * DAY, DAY + HOUR, False),
    ],
)
def test_within_asks_how_long_ago_a_message_got_there(
    is_: str, sent_ago: timedelta, heard_ago: timedelta | None, holds: bool
) -> None:
    receipt = DeliveryReceipt(Engagement.OPENED, NOW - heard_ago) if heard_ago else None
    asked = _read({"message": "hello", "is": is_, "within": "P1D"})
    assert bool(asked.holds(_context(None, _result(MessageOutcome.SENT, sent_ago), receipt))) is holds


def test_the_channel_that_was_used_can_be_asked() -> None:
    by_sms = _read({"message": "hello", "channelUsed": "sms"})
    assert by_sms.holds(_context(None, _result(MessageOutcome.SENT, channel="sms"))) == "message hello went by sms"
    assert by_sms.holds(_context(None, _result(MessageOutcome.UNKNOWN, channel="sms")))
    assert not by_sms.holds(_context(None, _result(MessageOutcome.SENT, channel="mail")))
    assert not by_sms.holds(_context(None, _result(MessageOutcome.SKIPPED, channel="sms")))


A, B, C = {"tag": "a"}, {"tag": "b"}, {"tag": "c"}


@pytest.mark.parametrize(
    ("written", "tags", "why"),
    [
        ({"all": [A]}, "a", "has the tag a"),
        ({"all": [A, B]}, "ab", "has the tag a and has the tag b"),
        ({"all": [A, B]}, "a", ""),
        ({"any": [A, B]}, "b", "has the tag b"),
        ({"any": [A, B]}, "ab", "has the tag a"),
        ({"any": [A, B]}, "c", ""),
        ({"not": A}, "b", "not tag"),
        ({"not": A}, "a", ""),
        ({"not": {"not": A}}, "a", "not not"),
        ({"not": {"not": A}}, "", ""),
        ({"all": [{"any": [A, B]}, {"not": C}]}, "b", "has the tag b and not tag"),
        ({"all": [{"any": [A, B]}, {"not": C}]}, "bc", ""),
        ({"not": {"all": [A, B]}}, "a", "not all"),
    ],
)
def test_conditions_are_joined_by_all_any_and_not(written: dict[str, Any], tags: str, why: str) -> None:
    assert _why(written, {"tags": list(tags)}) == why


def _nested(levels: int) -> dict[str, Any]:
    tree: dict[str, Any] = A
    for _ in range(levels - 1):
        tree = {"not": tree}
    return tree


def test_a_tree_is_measured_by_its_leaves_and_levels() -> None:
    tree = _read({"any": [A, {"all": [B, {"not": C}]}]})
    assert ([leaf.kind for leaf in leaves(tree)], depth(tree)) == (["tag"] * 3, 4)
    check_size(_read(_nested(8)))
    check_size(_read({"any": [{"all": [A] * 50}] * 2}))
    for large in (_nested(9), {"any": [{"all": [A] * 50}, {"any": [A] * 51}]}):
        with pytest.raises(ValueError, match="at most"):
            check_size(_read(large))


def test_a_large_condition_is_only_looked_at() -> None:
    asked = _read({"any": [{"field": "attributes.x", "op": "contains", "value": "y" * 200}] * 99 + [{"tag": "a"}]})
    context = _context({"attributes": {"x": "z" * 1_000}, "tags": ["a"]})
    before = context.contact.model_dump_json()
    assert [asked.holds(context) for _ in range(100)] == ["has the tag a"] * 100
    assert context.contact.model_dump_json() == before


@pytest.mark.parametrize("levels", [100, 200, 300, 900])
@pytest.mark.parametrize("kind", ["not", "all", "any"])
def test_deep_conditions_are_problems_and_no_faults(kind: str, levels: int) -> None:
    text = f'{{"{kind}":' + ("" if kind == "not" else "[")
    close = ("" if kind == "not" else "]") + "}"
    try:
        check_size(WHEN.validate_json(text * levels + '{"tag":"a"}' + close * levels))
    except ValueError:  # pydantic's ValidationError is one
        return
    raise AssertionError("so deep a condition was taken")


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_DATES = st.dates().map(str) | st.datetimes().map(lambda moment: f"{moment.isoformat()}+14:00")
_FIELD = st.sampled_from(["attributes.x", "email", "createdAt", "status", "tags", "__dict__"]) | _JSON
_LEAF = (
    st.fixed_dictionaries(
        {"field": _FIELD},
        optional={
            "op": st.sampled_from([op.value for op in Op]) | _JSON,
            "value": _JSON | _DATES,
            "within": st.just("P1D") | _JSON,
        },
    )
    | st.fixed_dictionaries({"tag": st.text() | _JSON}, optional={"is": _JSON})
    | st.fixed_dictionaries({"consent": st.just("email") | _JSON}, optional={"messageType": _JSON, "is": _JSON})
    | st.fixed_dictionaries(
        {"message": st.just("hello") | _JSON},
        optional={"is": st.just("opened") | _JSON, "channelUsed": _JSON, "within": _JSON},
    )
    | _JSON
)
_TREE = st.recursive(
    _LEAF,
    lambda inner: (
        st.fixed_dictionaries({"all": st.lists(inner, max_size=3)})
        | st.fixed_dictionaries({"any": st.lists(inner, max_size=3)})
        | st.fixed_dictionaries({"not": inner})
    ),
    max_leaves=6,
)


@given(_TREE, _SCALARS.filter(lambda value: value == value and value not in {float("inf"), float("-inf")}) | _DATES)
def test_whatever_is_written_is_a_condition_or_a_problem(written: object, found: object) -> None:
    try:
        asked = _read(written)
    except ValidationError:
        return
    receipt = DeliveryReceipt(Engagement.OPENED, NOW)
    context = _context({"attributes": {"x": found}}, _result(MessageOutcome.SENT), receipt)
    why = asked.holds(context)
    assert isinstance(why, str)
    assert len(why) <= MAX_WORDS
    assert asked.holds(context) == why
    assert bool(_read({"not": written}).holds(context)) is not bool(why)
