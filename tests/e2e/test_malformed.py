"""Malformed requests over real connections, including bytes that are not HTTP and that no handler sees."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.e2e.stack import Stack
from tests.malformed_requests import Bad, corpus

#: Where a network makes a difference; the rest is played in process.
OVER_HTTP = {"bytes", "content type", "authorization", "header", "path", "query"}
LINE = b"GET /v1/workspace HTTP/1.1\r\n"
HOST = b"Host: test\r\n"
#: What the server below ours must refuse, each in our shape.
NO_HTTP = [
    b"GET /v1/contacts?name=" + b"x" * 70_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /" + b"%41" * 30_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 32 + b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /v1/workspace\r\n\r\n",
    b"GET /v1/workspace HTTP/9.9\r\n\r\n",
    b"GET /v1/work space HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /v1/\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /v1/\xc3\xa4 HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET v1/workspace HTTP/1.1\r\n" + HOST + b"\r\n",
    b"G<T /v1/workspace HTTP/1.1\r\n" + HOST + b"\r\n",
    LINE + b"Host\r\n\r\n",
    LINE + b": x\r\n\r\n",
    LINE + b"Ho st: x\r\n\r\n",
    LINE + b"X: a\x00b\r\n\r\n",
    LINE + HOST + b"Content-Length: -1\r\n\r\n",
    LINE + HOST + b"Content-Length: x\r\n\r\n",
    LINE + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    LINE + HOST + b"Content-Length: 99999999999999999999999\r\n\r\n",
    b"POST /v1/channels HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /v1/channels HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    b"POST /v1/channels HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, x\r\n\r\n",
]


def ask(stack: Stack, raw: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
    """Return status, headers and body of the response."""
    with closing(socket.create_connection(("127.0.0.1", stack.port), timeout=30)) as connection:
        connection.sendall(raw)
        said = b""
        while part := connection.recv(1 << 20):
            said += part
            if is_whole(said):
                break
    head, _, body = said.partition(b"\r\n\r\n")
    line, *lines = head.split(b"\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(b":") for each in lines)}
    return int(line.split()[1]), headers, body


def is_whole(said: bytes) -> bool:
    """A server may keep the connection open after its response."""
    head, divided, body = said.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(divided and lengths and len(body) >= int(lengths[0].partition(b":")[2]))


def write(bad: Bad, key: str) -> bytes:
    path = bad.path.replace("{campaign}", "nobody").replace("{flow}", "nobody").replace("{uid}", "nobody")
    headers = [(b"Host", b"test"), (b"Content-Length", str(len(bad.body)).encode()), *bad.headers]
    if not bad.brings_key:
        headers.append((b"Authorization", b"Bearer " + key.encode()))
    lines = [name + b": " + value for name, value in headers]
    return b"\r\n".join([f"{bad.method} {path} HTTP/1.1".encode(), *lines, b"", bad.body])


def asked_over_http() -> Iterator[Bad]:
    return (bad for bad in corpus() if bad.about in OVER_HTTP and "Expect" not in str(bad.headers))


def test_no_malformed_request_makes_a_fault_over_http(shared: Stack) -> None:
    key, tried, wrong = shared.key(), 0, []
    for bad in asked_over_http():
        status, headers, body = ask(shared, write(bad, key))
        tried += 1
        if status >= 500 or (bad.refused and status < 400) or not is_documented(status, headers, body):
            wrong.append(f"{bad.about}: {bad.method} {bad.path[:80]} {bad.body[:60]!r} {bad.headers!r:.120} → {status}")
    print(f"\n{tried} malformed requests over HTTP, {len(wrong)} answered wrongly")
    assert not wrong, "\n".join(wrong)
    assert tried >= 300


def is_documented(status: int, headers: dict[bytes, bytes], body: bytes) -> bool:
    """Link pages and files of the dashboard have other error texts, for people."""
    if status < 400 or not headers[b"content-type"].startswith(b"application/json"):
        return status < 400 or headers[b"content-type"].startswith(b"text/")
    return {"error", "message", "details", "requestId"} <= set(json.loads(body))


@pytest.mark.parametrize("raw", NO_HTTP, ids=[str(number) for number in range(len(NO_HTTP))])
def test_what_is_no_http_is_refused_in_our_shape(shared: Stack, raw: bytes) -> None:
    status, headers, body = ask(shared, raw)
    assert 400 <= status < 500
    assert headers[b"content-type"] == b"application/json"
    assert {"error", "message", "details", "requestId"} <= set(json.loads(body))
