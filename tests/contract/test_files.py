"""Contract of `ports.Files` and `ports.MultipartFiles`."""

import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.aws.files import CHUNK_BYTES, LINE_BYTES, split_lines
from chalicelib.errors import NotFound
from chalicelib.ports import Files, MultipartFiles
from tests.contract.conftest import Backend


class FileStore(Files, MultipartFiles, Protocol):
    """The ports that one adapter implements."""


NAME, PARTED = "w1/imports/i1.csv", "w1/exports/e1.csv"


def test_a_file_comes_back_and_is_replaced(files: FileStore) -> None:
    files.put(NAME, b"old")
    files.put(NAME, b"\x00\xff new \r\n")
    files.put("w1/empty", b"")
    assert files.get(NAME) == b"\x00\xff new \r\n"
    assert files.get("w1/empty") == b""
    assert (files.size(NAME), files.size("w1/empty")) == (9, 0)


def test_a_missing_file_is_not_found(files: FileStore) -> None:
    with pytest.raises(NotFound):
        files.get("w1/nothing")
    with pytest.raises(NotFound):
        files.size("w1/nothing")
    with pytest.raises(NotFound):
        list(files.lines("w1/nothing", 0))


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b"", []),
        (b"a", [b"a"]),
        (b"a\nb\n", [b"a\n", b"b\n"]),
        (b"a\r\n\r\n\nb", [b"a\r\n", b"\r\n", b"\n", b"b"]),
    ],
)
def test_lines_keep_their_ends(files: FileStore, body: bytes, lines: list[bytes]) -> None:
    files.put(NAME, body)
    assert list(files.lines(NAME, 0)) == lines


def test_reading_goes_on_at_any_offset(files: FileStore) -> None:
    body = b"".join(b"line %d \xc3\xbc\r\n" % number for number in range(1_000))
    files.put(NAME, body)
    for offset in (0, 1, 500, len(body) - 1, len(body)):
        assert b"".join(files.lines(NAME, offset)) == body[offset:]
    assert list(files.lines(NAME, len(body) + 10)) == []


def test_lines_across_the_chunks_of_a_large_file_are_whole(files: FileStore) -> None:
    lines = [b"%07d;" % number + b"x" * (number % 300) + b"\n" for number in range(20_000)]
    files.put(NAME, b"".join(lines))
    assert sum(map(len, lines)) > 3 * CHUNK_BYTES
    assert list(files.lines(NAME, 0)) == lines


def test_a_line_over_64_kib_comes_in_pieces_the_last_with_its_end(files: FileStore) -> None:
    long = b"y" * (LINE_BYTES * 20 + 5) + b"\n"
    files.put(NAME, b"short\n" + long + b"end\n")
    found = list(files.lines(NAME, 0))
    assert [len(line) for line in found] == [6, *[LINE_BYTES] * 20, 6, 4]
    assert b"".join(found) == b"short\n" + long + b"end\n"


def test_a_link_names_the_file_and_when_it_ends(files: FileStore, backend: Backend) -> None:
    link = files.link(NAME, 900)
    assert NAME in link
    if backend.aws:
        query = parse_qs(urlsplit(link).query)
        assert "900" in query.get("X-Amz-Expires", []) or "Expires" in query


def test_a_file_without_line_ends_is_read_in_bounded_memory() -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(64):
            yield b"z" * CHUNK_BYTES

    tracemalloc.start()
    total = sum(len(piece) for piece in split_lines(chunks()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total == 64 * CHUNK_BYTES
    assert peak < 8 * CHUNK_BYTES


def test_a_file_that_is_written_in_parts_is_there_when_it_is_finished(files: FileStore) -> None:
    token = files.begin(PARTED)
    first, second = b"a" * (5 * 1_048_576), b"last"
    files.put_part(PARTED, token, 1, b"b" * (5 * 1_048_576))
    marks = [
        files.put_part(PARTED, token, 1, first),
        files.put_part(PARTED, token, 2, second),
    ]
    with pytest.raises(NotFound):
        files.get(PARTED)
    files.finish(PARTED, token, marks)
    assert files.get(PARTED) == first + second
    # AWS may respond NoSuchUpload or, again, success.
    with suppress(NotFound):
        files.finish(PARTED, token, marks)
    assert files.get(PARTED) == first + second


def test_one_part_may_be_empty(files: FileStore) -> None:
    token = files.begin(NAME)
    files.finish(NAME, token, [files.put_part(NAME, token, 1, b"")])
    assert files.get(NAME) == b""


def test_a_link_to_upload_names_the_file(files: FileStore) -> None:
    assert NAME in files.upload_link(NAME, 900)
