"""Imports of contacts from a file: request and progress."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from chalicelib.model.base import Moment, StoredDocument, StrictModel
from chalicelib.model.consent import ConsentSource, Proof, Source

#: In bytes; longer files need an upload (api.md).
MAX_INLINE_BYTES = 5 * 1_048_576
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$")]


class ExistingContactPolicy(StrEnum):
    """Handling of a record for an existing contact."""

    UPSERT = "upsert"
    SKIP = "skip"


class ImportStatus(StrEnum):
    """Status of an import. The last two are final."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class Format(StrEnum):
    """File format."""

    CSV = "csv"
    JSON_LINES = "jsonl"


class ImportOptions(StrictModel):
    """Options of an import. `mapping` maps a column header to a field, or to null to ignore the column."""

    mapping: Annotated[Mapping[str, str | None], Field(max_length=200)] = {}
    """Field of a contact by column header; null ignores the column. At most 200 columns."""
    dry_run: bool = False
    """Whether records are only validated; default false."""
    on_existing: ExistingContactPolicy = ExistingContactPolicy.UPSERT
    """What to do with a record whose contact exists: `upsert` (default) or `skip`."""
    consent_source: Source = "import"
    """Origin of the consent in the records; default `import`."""
    consent_proof: Proof | None = None
    """Proof of the consent in the records."""


class ImportRequest(ImportOptions):
    """Request for an import, with the records inline or in an uploaded file."""

    #: In bytes: 5 MiB of CSV with JSON escapes.
    max_bytes: ClassVar[int] = 6 * 1_048_576
    #: `curl --data-binary @contacts.csv -H "Content-Type: text/csv"` sends the file unchanged.
    plain_bodies: ClassVar[Mapping[str, str]] = {
        "text/csv": "csv",
        "application/jsonl": "json_lines",
        "application/x-ndjson": "json_lines",
    }

    csv: str | None = None
    """CSV text, at most 5 MiB."""
    json_lines: str | None = None
    """One JSON object per line with the fields of a contact, at most 5 MiB."""
    file_name: FileName | None = None
    """Name of an uploaded file; the extensions .jsonl and .ndjson mean JSON Lines."""

    @property
    def format(self) -> Format:
        """Return the format, by the field that holds the records or by the file name."""
        is_lines = self.json_lines is not None or (self.file_name or "").endswith((".jsonl", ".ndjson"))
        return Format.JSON_LINES if is_lines else Format.CSV

    @field_validator("csv", "json_lines")
    @classmethod
    def _check_size(cls, text: str | None) -> str | None:
        if text is not None and len(text.encode()) > MAX_INLINE_BYTES:
            raise ValueError(f"may have at most {MAX_INLINE_BYTES:,} bytes; upload a larger file with POST /v1/uploads")
        return text

    @model_validator(mode="after")
    def _check_exclusive(self) -> Self:
        if [self.csv, self.json_lines, self.file_name].count(None) != 2:
            raise ValueError("set exactly one of csv, jsonLines and fileName")
        return self


class ContactImport(ImportOptions, StoredDocument):
    """Progress of an import. Every page of records is one save, so a crash repeats at most one page."""

    kind: ClassVar[str] = "IMPORT"

    status: ImportStatus = ImportStatus.QUEUED
    format: Format = Format.CSV
    file: str
    total_bytes: int
    #: Position of the next record: byte offset and line number.
    offset: int
    line: int
    pages: int = 0
    rows: int = 0
    created: int = 0
    updated: int = 0
    skipped: int = 0
    rejected: int = 0
    #: Pages that have a part in the file of rejected records.
    rejected_pages: tuple[int, ...] = ()
    #: Why the import failed as a whole.
    fault: str | None = None
    started_at: Moment | None = None
    completed_at: Moment | None = None

    @property
    def origin(self) -> ConsentSource:
        """Return the origin of the consent in the records."""
        return ConsentSource(source=self.consent_source, proof=self.consent_proof)

    @property
    def is_over(self) -> bool:
        """Report whether the import has ended."""
        return self.status in {ImportStatus.COMPLETED, ImportStatus.FAILED}
