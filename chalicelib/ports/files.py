"""The ports of files: imports, exports and rejected records."""

from collections.abc import Iterator, Sequence
from typing import Protocol


class Files(Protocol):
    """Whole files by name."""

    def put(self, name: str, body: bytes) -> None:
        """Store or replace a file."""

    def get(self, name: str) -> bytes:
        """Return the content. NotFound if there is no such file."""

    def size(self, name: str) -> int:
        """Return the size in bytes without reading the content. NotFound if there is no such file."""

    def lines(self, name: str, offset: int) -> Iterator[bytes]:
        """Yield lines with their line ends, starting at a byte offset; a line above 64 KiB comes in pieces of 64 KiB.

        NotFound, if there is no such file, is raised by the first step of the iteration.
        """

    def link(self, name: str, seconds: int) -> str:
        """Return a presigned URL for a download, valid for `seconds`."""

    def upload_link(self, name: str, seconds: int) -> str:
        """Return a presigned URL for an upload of up to 5 GB, valid for `seconds`."""


class MultipartFiles(Protocol):
    """Files that are written in parts, as in an S3 multipart upload. The file does not exist before `finish`."""

    def begin(self, name: str) -> str:
        """Begin a file and return the token of the upload."""

    def put_part(self, name: str, token: str, number: int, body: bytes) -> str:
        """Store or replace part `number` (from 1) and return its ETag. All parts but the last need at least 5 MiB."""

    def finish(self, name: str, token: str, etags: Sequence[str]) -> None:
        """Join the parts with these ETags, in order. A repeated call is harmless; a late one may raise NotFound."""
