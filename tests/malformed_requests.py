"""Malformed requests. No route may answer one with a 5xx.

`{campaign}` and similar names in a path stand for the uid of an existing object.
"""

import base64
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: Raw headers: names and values are bytes, and a name may occur twice.
Headers = tuple[tuple[bytes, bytes], ...]
JSON: Headers = ((b"Content-Type", b"application/json"),)


@dataclass(frozen=True, slots=True)
class Bad:
    """A request. `refused`: it must not succeed."""

    about: str
    method: str
    path: str
    body: bytes = b""
    headers: Headers = ()
    refused: bool = True
    #: Whether the headers contain a key, valid or not.
    brings_key: bool = False


def _post(about: str, path: str, body: object) -> Bad:
    """Build a request that must be refused."""
    return Bad(about, "POST", path, body if isinstance(body, bytes) else json.dumps(body).encode(), JSON)


def _tried(about: str, call: str, body: object = None) -> Bad:
    """Build a request that may succeed. `call` is method and path, such as `POST /v1/flows`."""
    method, _, path = call.partition(" ")
    raw = b"" if body is None else json.dumps(body).encode()
    return Bad(about, method, path, raw, JSON if raw else (), refused=False)


#: No JSON, or JSON that is not read: what a byte is, how deep, how long, twice the same name.
BYTES: Sequence[bytes] = [
    b"{", b"}", b"[", b"]", b'"', b"null", b"true", b"0", b"-", b'""', b"[]", b"[{}]", b"nan", b"{]", b"[}", b"{,}",
    b"{'a': 1}", b'{"a":}', b'{"a": 1,}', b'{"a": 1} {"b": 2}', b'{"a": 01}', b'{"a": +1}', b'{"a": .5}', b'{"a": 1.}',
    b'{"a": 1e}', b'{"a": 0x10}', b'{"a": 1_000}', b'{"a": NaN}', b'{"a": -Infinity}', b'{"a": 1e999}',
    b'{"a": -1e999}', b'{"a": "\\ud800"}', b'{"a": "\\udfff\\ud800"}', b'{"\\ud800": 1}', b'{"a": "\\x41"}',
    b'{"a": "\\u12"}', b'{"a": "\n"}', b'{"a": "\x00"}', b'{"a": "\\u0000"}', b'{"\\u0000": 1}', b'{"a": "\\u001b[0m"}',
    b"\xff\xfe{\x00}\x00", b"\xfe\xff\x00{\x00}", b"\xef\xbb\xbf{}", b'{"a": "\xc3"}', b'{"a": "\xc3("}',
    b'{"a": "\xed\xa0\x80"}', b'{"a": "\xf8\x88\x80\x80\x80"}', b'{"a": "\xc0\xaf"}', b'{"a": "\xff"}', b"\x80",
    b'{"a": 1, "a": 2}', b'{"a": {"b": 1, "b": 2}}', b'{"__proto__": {}}', b'{"constructor": 1}', b'{"": 1}',
    b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}", b"[" * 50_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b'{"a":' * 50_000,
    b"[[[" * 300_000, b'{"a": ' + b"9" * 5_000 + b"}", b'{"a": 0.' + b"1" * 100_000 + b"}",
    b'{"a": "' + b"x" * 1_048_577 + b'"}', b'"' + b'\\"' * 200_000, b" " * 2_000_000, b"\x00" * 64,
    b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", b"a=1&b=2",
    b"\x1f\x8b\x08\x00", b"PK\x03\x04", b"/* */ {}", b'{"a": 1}//', b"undefined", b"---\na: 1", b"%7B%7D", b"$(id)",
    b"\xe2\x80\xaf{}", b"{\xc2\xa0}", b'{"a"\x0b: 1}', b"+{}", b"\xf0\x9f\x92\xa9",
]  # fmt: skip

CONTENT_TYPES: Sequence[bytes] = [
    b"", b"text/plain", b"text/json", b"application/xml", b"application/x-www-form-urlencoded", b"multipart/form-data",
    b"multipart/form-data; boundary=", b"application/octet-stream", b"application/json; charset=latin-1",
    b"application/json; charset=utf-16", b"application/json; charset=", b"application/json; charset=utf-8; x=1",
    b"application/json, text/plain", b"application/jsonx", b"json", b"application/", b"/json", b";", b"*/*",
    b"application/problem+json", b"application/json;" * 500, b"x" * 4_000, b"application/\xe4son", b"text/csv",
    b"application/json; boundary=\"", b"application/vnd.api+json", b"application/json-patch+json",
]  # fmt: skip

#: In the place of "Bearer <key>".
AUTHORIZATIONS: Sequence[bytes] = [
    b"", b"Bearer", b"Bearer ", b"bearer x", b"Basic YTpi", b"Basic", b"Digest username=x", b"Bearer cln_live_",
    b"Bearer cln_live_a_b_c", b"Bearer " + b"x" * 6_000, b"Bearer \xff\xfe", b"Bearer null", b"Bearer undefined",
    b"Bearer cln_live_" + b"0" * 26 + b"_" + b"0" * 26 + b"_" + b"0" * 49, b"Bearer a b c", b"Bearer ' OR 1=1 --",
    b"Bearer ..", b"Bearer %00", b"Bearer eyJhbGciOiJub25lIn0.e30.", b"Token x", b"Bearer\tx",
    b"Bearer \xf0\x9f\x94\x91", b"Bearer cln_live_" + b"_" * 80, b"Bearer cln_live_\xc3\xa4_b_c",
    b"AWS4-HMAC-SHA256 Credential=x", b"Bearer , Bearer",
]  # fmt: skip

IDEMPOTENCY_KEYS: Sequence[bytes] = [
    b"",
    b"x" * 256,
    b"x" * 4_000,
    b"\xc3\xa4",
    b"a\tb",
    b"\xff",
    b"\x7f",
    b"\xf0\x9f\x94\x91",
]

#: Whole paths, as they are written in the request line.
PATHS: Sequence[str] = [
    "/v1/flows/..%2F..%2Fhealth", "/v1/flows/%2e%2e/keys", "/v1/flows/%2E%2E%2F%2E%2E", "/v1//flows", "//v1/flows",
    "/v1/./flows", "/v1/flows/../keys", "/v1/flows//", "/v1/flows/%00", "/v1/flows/a%00b", "/v1/flows/%",
    "/v1/flows/%zz", "/v1/flows/%u0041", "/v1/flows/%25%30%30", "/v1/flows/%252e%252e", "/v1/flows/%c0%ae%c0%ae",
    "/v1/flows/%ff%fe", "/v1/flows/%ED%A0%80", "/v1/flows/%F0%9F%92%A9", "/v1/flows/a%0d%0aX-Bad:%201",
    "/v1/flows/a%0Ab", "/v1/flows/a;b=c", "/v1/flows/a%5Cb", "/v1/flows/%5C..%5C..", "/v1/flows/'%20OR%201=1",
    "/v1/flows/$%7Bjndi:ldap://x%7D", "/v1/flows/*", "/v1/flows/%7B%7B7*7%7D%7D", "/v1/flows/%3Cscript%3E",
    "/v1/flows/" + "x" * 331, "/v1/flows/" + "x" * 7_000, "/v1/flows/" + "%41" * 2_000, "/v1/flows/" + "a/" * 500,
    "/v1/flows/%23META", "/v1/flows/V%23000001", "/v1/flows/a%7Cb", "/v1/flows/~", "/v1/flows/@", "/v1/flows/nobody%20",
    "/v1/flows/%E2%80%AE", "/v1/flows/{uid}", "/V1/flows", "/v1/FLOWS", "/v2/flows", "/v1", "/v1/flows.json",
    "/v1/flows/nobody/executions/%2F", "/%", "/%2e", "/.git/config", "/.env", "/admin", "/v1/flows/nobody/nothing",
    "/docs/..%2f..%2fapp.py", "/docs/%2e%2e", "/assets/..%2f..%2fapp.py", "/assets/%00", "/v1/messages/..",
    "/v1/campaigns/nobody/versions/-1", "/v1/campaigns/{campaign}/versions/0",
    "/v1/campaigns/{campaign}/versions/99999999999999999999", "/v1/campaigns/{campaign}/versions/1e3",
    "/v1/campaigns/{campaign}/versions/%D9%A1", "/v1/flows/{flow}/executions/%00", "/v1/hooks/a.b", "/v1/hooks/..",
    "/v1/hooks/%2e", "/v1/hooks/a.b.c", "/u/x", "/u/%00", "/u/" + "A" * 300, "/u/..%2f", "/c/x", "/c/" + "A" * 300,
    "/l/x?u=https://evil.example", "/l/x", "/l/%00?u=%00", "/l/x?u=javascript:alert(1)", "/l/x?u=%0d%0aX:1",
    "/v1/imports/..", "/v1/exports/%2f",
]  # fmt: skip

QUERIES: Sequence[str] = [
    "limit=0", "limit=101", "limit=-1", "limit=1.0", "limit=1e1", "limit=0x10", "limit=", "limit=NaN", "limit=+5",
    "limit=%31%00", "limit=%D9%A1", "limit=%EF%BC%91", "limit=9" * 40, "limit=" + "9" * 5_000, "limit=1&limit=2",
    "limit[]=1", "limit[$gt]=1", "limit=%20", "limit=_1", "limit=1_0", "LIMIT=1", "a=1", "=1", "%00=1", "%ff=1",
    "&".join(f"a{number}=1" for number in range(1_000)), "status=running'--", "contactUid=%00",
    "contactUid=a&contactUid=b", "campaignUid=" + "x" * 4_000, "status=", "limit=1;status=running", "limit=1%26a=1",
    "__proto__=1", "cursor[]=x", "channelUid=%ED%A0%80", "contactUid=%7C", "limit=true", "limit=null",
    "limit=%F0%9F%92%A9",
]  # fmt: skip


def _sealed(content: bytes) -> str:
    return base64.urlsafe_b64encode(b"0" * 16 + zlib.compress(content)).rstrip(b"=").decode()


#: Of a list; what is signed by others, or by nobody.
CURSORS: Sequence[str] = [
    "", "x", "==", "A", "AA", "A" * 20, "A" * 8_192, "A" * 8_193, "%00", "%ff", "%C3%A4", "null", "0", "-1",
    "1' OR '1'='1", "eyJpZCI6MX0", "../../etc/passwd", "%F0%9F%92%A9", "A%0AB", "A.B.C", "AAAA====", "*",
    _sealed(b"[null]"), _sealed(b'["OTHER"]'), _sealed(b'{"a": 1}'), _sealed(b"[" * 10_000),
    _sealed(b"0" * 3_000_000)[:4_000], _sealed(b'["' + b"x" * 100_000 + b'"]')[:4_000],
]  # fmt: skip

#: Into a name, a tag, a template, a filter: kept as it is or refused, and never a fault.
TEXTS: Sequence[str] = [
    "", "\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe", "a\N{ZERO WIDTH JOINER}b", "\N{BYTE ORDER MARK}x", "\uffff", "\ufdd0",
    "e" + "\u0301" * 199, "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0010ffff", "ﷺ" * 200, "İ", "ß", "\u2028",
    "\x85", "\x9f", "{{ 7 * 7 }}", "{% for a in range(10**9) %}x{% endfor %}", "${7*7}", "=cmd|' /C calc'!A0", "%s%s%n",
    "' OR 1=1 --", "<svg onload=alert(1)>", "*", "|", "#", "\\", "/", "\t", "\r\n", " ", "a" * 200, "NULL", "None",
    "undefined", "-1", "..",
]  # fmt: skip

NUMBERS: Sequence[object] = [
    0,
    -0.0,
    -1,
    1.5,
    1e308,
    5e-324,
    2**53 + 1,
    2**63,
    2**64,
    10**30,
    10**100,
    10**4_000,
    -(10**400),
]

TIMES: Sequence[object] = [
    "", "now", "2026", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00",
    "2026-01-01T25:00:00Z", "2026-01-01T00:00:60Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "99999-01-01T00:00:00Z", "2026-01-01T00:00:00+99:00", "2026-W01-1T00:00:00Z",
    "-2026-01-01T00:00:00Z", "20260101T000000Z", 0, -1, 1e18, 10**30, True, [], {}, "２０２６-01-01T00:00:00Z",
    "2026-01-01T00:00:00" + "0" * 5_000 + "Z", "2026-01-01T00:00:00." + "9" * 5_000 + "Z",
]  # fmt: skip

DURATIONS: Sequence[object] = [
    "", "P", "PT", "P0D", "-P1D", "P366D", "P99999999999999999999D", "P1Y", "P1.5D", "PT1E9S", "1 day", "P1D1D", 0, 1e9,
    [], {"days": -1}, {"days": 10**30}, {"days": 1.5}, {"fortnights": 1}, {"days": "1"}, "P" + "1" * 5_000 + "D", None,
    True,
]  # fmt: skip

RULES: Sequence[str] = [
    "", "FREQ=", "FREQ=NEVER", "FREQ=SECONDLY", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=-1",
    "FREQ=YEARLY;INTERVAL=999999999", "FREQ=DAILY;COUNT=0", "FREQ=DAILY;UNTIL=99999999T000000Z",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31", "RRULE:FREQ=DAILY\nEXDATE:x", "FREQ=DAILY;BYSETPOS=999999",
    "FREQ=MINUTELY;BYSECOND=61", "DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY", "FREQ=DAILY;;;", "FREQ=DAILY;X=1",
    "FREQ=MONTHLY;BYDAY=99MO", "FREQ=DAILY;BYEASTER=0", "FREQ=DAILY;" * 40,
    "freq=daily;byhour=" + ",".join(["1"] * 200),
]  # fmt: skip

URLS: Sequence[object] = [
    "", "x", "http://hooks.example.com", "https://", "https://127.0.0.1", "https://[::1]", "https://2130706433",
    "https://0x7f.1", "https://a@b.example", "https://a.example:22", "file:///etc/passwd", "gopher://x",
    "https://a.example/\x00", "https://[::1", 1, None, [], "https://a.example:99999999999",
    "https://" + "a" * 300 + ".example", "https://a.example/" + "x" * 5_000, "https://ⓛocalhost", "https://[v1.x]/",
    "https://[::ffff:1.2.3.4%25a]/", "https://a.example:٣", "//a.example", "https:\\\\a.example", "https://a..example",
]  # fmt: skip

TEMPLATES: Sequence[object] = [
    "{{", "{% if %}", "{% endfor %}", "{{ a.b.c.d.e }}", "{{ ''.__class__ }}", "{% include 'x' %}",
    "{% import 'x' as y %}", "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", "{{ 'x' * 10000000 }}",
    "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
    "{{ " + "(" * 2_000 + "1" + ")" * 2_000 + " }}", "{% set a = 'x' %}" * 5_000, "x" * 70_000,
    "{{ " + "a|" * 2_000 + "a }}", "\x00", 1, None, [], {}, "{{ 9" + "9" * 5_000 + " }}", "{% raw %}",
    "{{ a }}" * 20_000, "{{ 1 / 0 }}", "{{ 1 // 0 }}", "{{ range(10 ** 18) }}", "{{ [1] * 99999999 }}", "{# ",
    "{{ a['b'][0] }}", "{{ loop }}",
]  # fmt: skip


def _deep(kind: str, depth: int) -> object:
    found: object = {"tag": "vip"}
    for _ in range(depth):
        found = {kind: found if kind == "not" else [found]}
    return found


#: In the place of a segment's filter.
FILTERS: Sequence[object] = [
    None, [], {}, "vip", {"tag": ""}, {"tag": None}, {"tag": ["vip"]}, {"field": "email"},
    {"field": "__class__", "op": "eq", "value": 1}, {"field": "attributes.", "op": "eq", "value": 1},
    {"field": "attributes.a.b", "op": "eq", "value": 1}, {"field": "email", "op": "regex", "value": "(a+)+$"},
    {"field": "email", "op": "eq", "value": {"$ne": 1}}, {"field": "email", "op": "in", "value": list(range(10_000))},
    {"all": []}, {"any": {}}, {"not": []}, {"all": [{"tag": "a"}] * 101}, {"tag": "a", "event": "b"},
    {"event": "x", "op": "gte", "value": 10**30}, {"event": "x", "within": "P9999999D"}, {"event": "x", "within": -1},
    {"consent": {}}, {"field": "attributes.a", "op": "within", "value": "P1D"}, {"message": "x", "is": "opened"},
    {"property": "a", "op": "eq", "value": 1}, {"field": "email", "op": "before", "value": "yesterday"},
    {"field": "attributes.a", "op": "eq", "value": "x" * 100_000},
    {"field": "attributes.a", "op": "gt", "value": "NaN"},
    *(_deep(kind, depth) for kind in ("not", "all", "any") for depth in (9, 40, 60)),
]  # fmt: skip

#: In the place of a campaign's steps; a draft may be wrong, so that some are kept, and then their graph is asked for.
STEPS: Sequence[object] = [
    "x", {}, [1], [None], [[]], [{}], [{"type": "NOBODY"}], [{"type": None}], [{"id": "a", "type": "END"}] * 201,
    [{"id": "a b", "type": "END"}], [{"id": "a", "type": "WAIT"}],
    [{"id": "a", "type": "WAIT", "for": "P1D", "until": "x"}], [{"id": "a", "type": "SEND"}], [1] * 1_001,
    [{"id": "a", "type": "AB_TEST", "lanes": []}],
    [{"id": "a", "type": "AB_TEST", "lanes": [{"label": "A", "weight": -1}]}],
    [{"id": "a", "type": "CONDITION", "lanes": [{"label": "A", "when": {"all": [{}]}}]}],
    [{"id": "a", "type": "CONDITION", "lanes": "x"}], [{"id": "a", "type": "TAG", "add": ["x" * 65]}],
    [{"id": "\x00", "type": "END"}], [{"id": "a", "type": "END"}, {"id": "a", "type": "END"}],
]  # fmt: skip


def _nested_lanes(depth: int) -> object:
    steps: list[object] = [{"id": "leaf", "type": "END"}]
    for level in range(depth):
        steps = [{"id": f"s{level}", "type": "AB_TEST", "lanes": [{"label": "A", "weight": 1, "steps": steps}]}]
    return steps


def corpus() -> Iterator[Bad]:
    """All of it, in an order in which nothing that is needed later is lost."""
    yield from _of_bodies()
    yield from _of_headers()
    for path in PATHS:
        yield Bad("path", "GET", path, refused=False)
        yield Bad("path", "DELETE", path)
    for query in QUERIES:
        yield Bad("query", "GET", f"/v1/flows?{query}")
    for cursor in CURSORS:
        yield Bad("cursor", "GET", f"/v1/contacts?cursor={cursor}")
        yield Bad("cursor", "GET", f"/v1/campaigns?cursor={cursor}")
    yield from _of_texts()
    yield from _of_numbers()
    yield from _of_times()
    yield from _of_programs()
    yield from _of_files()


def _of_bodies() -> Iterator[Bad]:
    for raw in BYTES:
        yield _post("bytes", "/v1/channels", raw)
        yield Bad("bytes", "PATCH", "/v1/campaigns/{campaign}", raw, JSON)
    for kind in CONTENT_TYPES:
        yield Bad(
            "content type", "POST", "/v1/channels", b'{"name": "x", "type": "console"}', ((b"Content-Type", kind),)
        )


def _of_headers() -> Iterator[Bad]:
    for said in AUTHORIZATIONS:
        yield Bad("authorization", "GET", "/v1/workspace", headers=((b"Authorization", said),), brings_key=True)
    for key in IDEMPOTENCY_KEYS:
        body = b'{"name": "x", "type": "console"}'
        yield Bad("idempotency key", "POST", "/v1/channels", body, (*JSON, (b"Idempotency-Key", key)))
    for name, value in (
        (b"X-Forwarded-For", b"127.0.0.1, " * 200), (b"X-Forwarded-Host", b"evil.example"),
        (b"X-HTTP-Method-Override", b"DELETE"), (b"Accept", b"text/html;q=" + b"9" * 500),
        (b"Accept-Encoding", b"gzip;q=nan"), (b"Cookie", b"a=" + b"b" * 4_000), (b"X-Request-Id", b"\xff\xff"),
        (b"X-Amzn-Trace-Id", b"Root=x"), (b"If-None-Match", b"*"), (b"Range", b"bytes=0-0,-1"), (b"Origin", b"null"),
        (b"Referer", b"\xf0\x9f\x92\xa9"), (b"X-Empty", b""), (b"Expect", b"200-maybe"), (b"Te", b"gzip"),
    ):  # fmt: skip
        yield Bad("header", "GET", "/v1/workspace", headers=((name, value),), refused=False)


def _of_texts() -> Iterator[Bad]:
    for text in TEXTS:
        fields = {"firstName": text, "tags": [text], "attributes": {"a": text}}
        yield _tried("text", "POST /v1/contacts", fields)
        yield _tried("text", "POST /v1/contacts", {"attributes": {text: 1}})
        yield _tried("text", "POST /v1/campaigns", {"name": text, "steps": []})
        yield _tried("text", "POST /v1/events", {"events": [{"name": text, "contactUid": text}]})
        for name in ("email", "phone", "externalId"):
            yield _tried("text", "POST /v1/events", {"events": [{"name": "x", name: text}]})
    for url in URLS:
        yield _post("url", "/v1/webhooks", {"url": url, "events": ["flow.*"]})


def _of_numbers() -> Iterator[Bad]:
    for number in NUMBERS:
        yield _tried("number", "POST /v1/contacts", {"attributes": {"n": number}})
        yield _tried("number", "POST /v1/channels", {"name": "x", "type": "console", "dailyCap": number})
        event = {"name": "paid", "contactUid": "nobody", "properties": {"n": number}}
        yield _tried("number", "POST /v1/events", {"events": [event]})


def _of_times() -> Iterator[Bad]:
    for moment in TIMES:
        yield _post("time", "/v1/keys", {"name": "x", "scope": "read", "expiresAt": moment})
        event = {"name": "x", "contactUid": "a", "occurredAt": moment}
        yield _tried("time", "POST /v1/events", {"events": [event]})
    for span in DURATIONS:
        yield _tried("duration", "POST /v1/segments/preview", {"filter": {"event": "x", "within": span}})
        yield _tried("duration", "POST /v1/campaigns", {"name": "x", "steps": [], "startGrace": span})
    for rule in RULES:
        trigger = {"type": "scheduled", "at": "2026-12-01T09:00", "rrule": rule}
        yield _tried("rule", "POST /v1/campaigns", {"name": "x", "steps": [], "trigger": trigger})


def _of_programs() -> Iterator[Bad]:
    for source in TEMPLATES:
        content = {"content": {"text": source}}
        yield _tried("template", "POST /v1/templates", {"name": "x", "channelType": "console", **content})
        yield _tried("template", "PATCH /v1/templates/{template}", content)
        yield _tried("template", "POST /v1/templates/{template}/preview", {"values": {"first_name": "x"}})
    for tree in FILTERS:
        yield _tried("filter", "POST /v1/segments/preview", {"filter": tree})
    for steps in (*STEPS, *(_nested_lanes(depth) for depth in (9, 11, 15))):
        yield _tried("steps", "PATCH /v1/campaigns/{campaign}", {"steps": steps})
        yield _tried("steps", "GET /v1/campaigns/{campaign}/graph")
        yield _tried("steps", "POST /v1/campaigns/{campaign}/validate", {})


def _of_files() -> Iterator[Bad]:
    for raw in (
        b"", b"\x00", b"email", b"email\n", b",,,\n,,,\n", b'"\n', b'email\n"a',
        b"email,email\na@example.com,b@example.com\n", b"\xff\xfee\x00", b"colour\nred\n", b"email\n" + b"a" * 200_000,
        b"email\r\n\r\n\r\n", b"email;phone\na;b\n", b"PK\x03\x04", b"email\n=1+1\n",
        b"email\n" + b"a@example.com\n" * 20_000, b"," * 100_000, b'{"email": 1}', b"attributes.__class__\nx\n",
        b"email\x00phone\na\x00b\n",
    ):  # fmt: skip
        for kind in (b"text/csv", b"application/jsonl"):
            yield Bad("file", "POST", "/v1/contacts/import", raw, ((b"Content-Type", kind),), refused=False)
    forms = (
        b"",
        b"page=1&" * 200,
        b"stop=" + b"x" * 100_000,
        b"%ff=%ff",
        b"List-Unsubscribe=One-Click",
        b"page&stop&&==",
        b"\x00",
    )
    for form in forms:
        for kind in (b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x"):
            yield Bad("form", "POST", "/u/{unsubscribe}", form, ((b"Content-Type", kind),), refused=False)
            yield Bad("form", "POST", "/v1/hooks/{hook}", form, ((b"Content-Type", kind),), refused=False)
