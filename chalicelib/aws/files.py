"""Imports, exports and rejected records as objects of one S3 bucket."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from chalicelib.aws._dynamodb import translate_errors
from chalicelib.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

#: Bytes per read from S3.
CHUNK_BYTES = 1 << 20
#: A longer line is cut into pieces of this length, because a file without line ends would not fit in memory.
LINE_BYTES = 1 << 16


class S3Files:
    """Implements `ports.Files` and `ports.MultipartFiles` on S3."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def put(self, name: str, body: bytes) -> None:
        with translate_errors():
            self._client.put_object(Bucket=self._bucket, Key=name, Body=body)

    def get(self, name: str) -> bytes:
        return b"".join(self._chunks(name, 0))

    def size(self, name: str) -> int:
        """Make a HEAD request. Its error response has no body, so the error code is the HTTP status."""
        try:
            with translate_errors():
                return self._client.head_object(Bucket=self._bucket, Key=name)["ContentLength"]
        except ClientError as error:
            if error.response["Error"].get("Code") in {"404", "NoSuchKey", "NotFound"}:
                raise NotFound("File", name) from error
            raise

    def lines(self, name: str, offset: int) -> Iterator[bytes]:
        return split_lines(self._chunks(name, offset))

    def link(self, name: str, seconds: int) -> str:
        """Sign the URL locally, without checking that the file exists."""
        return self._client.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": name}, ExpiresIn=seconds
        )

    def upload_link(self, name: str, seconds: int) -> str:
        """Sign a URL for an upload by a single PUT request."""
        return self._client.generate_presigned_url(
            "put_object", Params={"Bucket": self._bucket, "Key": name}, ExpiresIn=seconds, HttpMethod="PUT"
        )

    def begin(self, name: str) -> str:
        """Begin an S3 multipart upload."""
        with translate_errors():
            return self._client.create_multipart_upload(Bucket=self._bucket, Key=name)["UploadId"]

    def put_part(self, name: str, token: str, number: int, body: bytes) -> str:
        """Upload a part; S3 requires at least 5 MiB for each part but the last."""
        with translate_errors():
            answer = self._client.upload_part(
                Bucket=self._bucket, Key=name, UploadId=token, PartNumber=number, Body=body
            )
        return answer["ETag"]

    def finish(self, name: str, token: str, etags: Sequence[str]) -> None:
        """Complete the upload. NotFound if S3 no longer has it."""
        parts: list[CompletedPartTypeDef] = [
            {"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, start=1)
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
            if code != "InvalidRange":  # S3's error code for an empty file and for an offset at the end
                raise


def split_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Split a stream after each newline, and lines that are longer than LINE_BYTES."""
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
