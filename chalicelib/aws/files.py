"""Imports, exports and rejected rows as objects of one S3 bucket."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from chalicelib.aws._dynamodb import translate_errors
from chalicelib.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

#: What is read from S3 at once.
CHUNK_BYTES = 1 << 20
#: A line longer than this comes in pieces of this length, or a file without line ends would not fit in memory.
LINE_BYTES = 1 << 16


class S3Files:
    """The port Files on S3."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def put(self, name: str, body: bytes) -> None:
        """Stores or replaces."""
        with translate_errors():
            self._client.put_object(Bucket=self._bucket, Key=name, Body=body)

    def get(self, name: str) -> bytes:
        """NotFound when it is not there."""
        return b"".join(self._chunks(name, 0))

    def size(self, name: str) -> int:
        """An answer to HEAD has no body, and so no code but its status."""
        try:
            with translate_errors():
                return self._client.head_object(Bucket=self._bucket, Key=name)["ContentLength"]
        except ClientError as error:
            if error.response["Error"].get("Code") in {"404", "NoSuchKey", "NotFound"}:
                raise NotFound("File", name) from error
            raise

    def lines(self, name: str, offset: int) -> Iterator[bytes]:
        """Lines from a byte offset on, with their line ends; one over 64 KiB in pieces of 64 KiB."""
        return split_lines(self._chunks(name, offset))

    def link(self, name: str, seconds: int) -> str:
        """A presigned URL to read it; signed here, so it tells nothing of whether the file is there."""
        return self._client.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": name}, ExpiresIn=seconds
        )

    def upload_link(self, name: str, seconds: int) -> str:
        """A presigned URL to put it with one request."""
        return self._client.generate_presigned_url(
            "put_object", Params={"Bucket": self._bucket, "Key": name}, ExpiresIn=seconds, HttpMethod="PUT"
        )

    def begin(self, name: str) -> str:
        """S3's multipart upload."""
        with translate_errors():
            return self._client.create_multipart_upload(Bucket=self._bucket, Key=name)["UploadId"]

    def put_part(self, name: str, token: str, number: int, body: bytes) -> str:
        """S3 wants 5 MiB at least of each part but the last."""
        with translate_errors():
            answer = self._client.upload_part(
                Bucket=self._bucket, Key=name, UploadId=token, PartNumber=number, Body=body
            )
        return answer["ETag"]

    def finish(self, name: str, token: str, marks: Sequence[str]) -> None:
        """NotFound when the upload is over."""
        parts: list[CompletedPartTypeDef] = [
            {"PartNumber": number, "ETag": mark} for number, mark in enumerate(marks, start=1)
        ]
        try:
            with translate_errors():
                self._client.complete_multipart_upload(
                    Bucket=self._bucket, Key=name, UploadId=token, MultipartUpload={"Parts": parts}
                )
        except ClientError as error:
            if error.response["Error"].get("Code") == "NoSuchUpload":
                raise NotFound("Upload", name) from error
            raise

    def _chunks(self, name: str, offset: int) -> Iterator[bytes]:
        try:
            with translate_errors():
                answer = self._client.get_object(Bucket=self._bucket, Key=name, Range=f"bytes={offset}-")
                yield from answer["Body"].iter_chunks(CHUNK_BYTES)
        except ClientError as error:
            code = error.response["Error"].get("Code")
            if code == "NoSuchKey":
                raise NotFound("File", name) from error
            if code != "InvalidRange":  # S3's word for an empty file and for an offset at its end
                raise


def split_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cuts a stream behind each newline, and within a line that is longer than LINE_BYTES."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield from _pieces(line + b"\n")
        *pieces, rest = _pieces(rest) or [b""]
        yield from pieces
    if rest:
        yield rest


def _pieces(line: bytes) -> list[bytes]:
    return [line[start : start + LINE_BYTES] for start in range(0, len(line), LINE_BYTES)]
