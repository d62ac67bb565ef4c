"""Files that are not contact files, or that are built to exhaust the reader."""

import gzip
import io
import zipfile
from collections.abc import Iterator

from tests.hostile.request import Ask

IMPORT = "/v1/contacts/import"
_CSV = {"Content-Type": "text/csv"}
_LINES = {"Content-Type": "application/x-ndjson"}


def refused() -> Iterator[Ask]:
    """Return files that are refused: they are too long or do not start with a header."""
    for name, content, said in (
        ("a byte order mark", b"\xef\xbb\xbf", ("csv", "email")),
        ("a header of five megabytes", b"a" * 5_000_000, ("csv", "65536")),
        ("a million columns", b"email" + b"," * 999_999 + b"\na@example.com\n", ("csv", "65536")),
        ("65,000 columns without a name", b"email" + b"," * 65_000 + b"\n", ("csv",)),
        ("5,000 unknown columns", ",".join(f"column{n}" for n in range(5_000)).encode() + b"\n", ("csv", "column0")),
        ("10,000 times the same column", b"email," * 10_900 + b"\n", ("csv", "two columns")),
        ("a quote that is never closed", b'"email' + b"\n" * 1_000_000, ("csv", "quote")),
        ("UTF-16", "email\na@example.com\n".encode("utf-16"), ("csv",)),
        ("a NUL for a name", b"email\x00\na@example.com\n", ("csv",)),
        ("a program", b"\x7fELF" + bytes(range(256)) * 100, ("csv",)),
        ("gzip", gzip.compress(b"email\n" + b"a@example.com\n" * 100_000), ("csv",)),
        ("more than six megabytes", b"email\n" + b"a@example.com\n" * 450_000, ("6291456",)),
    ):
        yield Ask(name, IMPORT, content, said, headers=_CSV)
    compressed = gzip.compress(b'{"csv": "email\\n"}' + b" " * 10_000_000)
    yield Ask("a compressed body", IMPORT, compressed, ("UTF-8",), headers={"Content-Encoding": "gzip"})
    yield Ask("a mapping of everything", IMPORT, {"csv": "email\n", "mapping": {f"c{n}": "x" for n in range(2_900)}})


#: Name and content of a file, its rows, and the number of rejected rows.
def taken() -> Iterator[tuple[str, bytes, tuple[int, int]]]:
    """Return CSV files with valid headers. They are read in the background; bad rows are rejected."""
    good, head = b"good@example.com,Good\n", b"email,firstName\n"
    yield "a field of five megabytes", head + b"a@example.com," + b"x" * 5_000_000 + b"\n" + good, (2, 1)
    yield "a field of 60 kilobytes", head + b"a@example.com," + b"x" * 60_000 + b"\n" + good, (2, 1)
    yield "a row of a million columns", head + b"a@example.com" + b"," * 999_999 + b"\n" + good, (2, 1)
    yield "a row of 60,000 columns", head + b"a@example.com" + b"," * 60_000 + b"\n" + good, (2, 1)
    yield "NULs", head + b"a@example.com,\x00\nb\x00@example.com,x\n" + good, (3, 2)
    yield "a quote that is never closed", head + b'"a@example.com,x\n' + good, (2, 1)
    yield "5,000 quotes that are never closed", head + b'"\n' * 5_001 + good, (2_502, 2_501)
    yield "quotes in wrong places", head + b'a"b"@example.com,"x"y"\n' + good, (2, 1)
    yield "no line end", head + good[:-1], (1, 0)
    yield "100,000 empty lines", head + b"\r\n" * 100_000 + good, (1, 0)
    yield "bytes that are no text", head + b"a@example.com,\xff\xfe\xed\xa0\x80\n" + good, (2, 1)
    yield "the wrong number of cells", head + b"a@example.com\n,,,,\n" + good, (3, 2)


def lines() -> Iterator[tuple[str, bytes, tuple[int, int]]]:
    """Return JSON Lines files with bad rows."""
    good = b'{"email": "good@example.com"}\n'
    yield "a deep line", b'{"attributes": ' + b"[" * 30_000 + b"]" * 30_000 + b"}\n" + good, (2, 1)
    yield "a line of five megabytes", b'{"firstName": "' + b"x" * 5_000_000 + b'"}\n' + good, (2, 1)
    yield "30,000 fields", b"{" + b",".join(b'"f%d":0' % n for n in range(6_000)) + b"}\n" + good, (2, 1)
    yield "no objects", b"[]\nnull\n1\n" + good, (4, 3)
    yield "infinite", b'{"email": "a@example.com", "attributes": {"x": 1e999}}\n' + good, (2, 1)
    yield (
        "NaN and a huge number",
        b'{"attributes": {"x": NaN}}\n{"attributes": {"x": ' + b"9" * 5_000 + b"}}\n" + good,
        (3, 2),
    )
    yield "a control character", b'{"email": "a@example.com", "firstName": "\\u0000"}\n' + good, (2, 1)
    yield "a lone surrogate", b'{"email": "a@example.com", "firstName": "\\ud800"}\n' + good, (2, 1)


def bombs() -> dict[str, bytes]:
    """Return compressed files by name. The gzip file has about 1 MB and unpacks to 1 GB."""
    member = b"a@example.com\n" * (1 << 20)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("people.csv", member)
    head = gzip.compress(b"email\n")
    return {"bomb.csv": head + gzip.compress(member) * (2**30 // len(member) + 1), "bomb.zip": packed.getvalue()}


def asks() -> list[Ask]:
    """Return all uncompressed files."""
    every = [*refused()]
    every += [Ask(name, IMPORT, content, headers=_CSV) for name, content, _ in taken()]
    return [*every, *(Ask(name, IMPORT, content, headers=_LINES) for name, content, _ in lines())]
