"""An import of contacts from a file: what was asked, and how far it is."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from chalicelib.model.base import Moment, StoredDocument, StrictModel
from chalicelib.model.consent import ConsentSource, Proof, Source

#: api.md: longer files come by upload.
MAX_INLINE_BYTES = 5 * 1_048_576
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$")]


class ExistingContactPolicy(StrEnum):
    """What a row does to a contact that is there."""

    UPSERT = "upsert"
    SKIP = "skip"


class ImportStatus(StrEnum):
    """Where an import stands; the last two are final."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class Format(StrEnum):
    """How a file is written."""

    CSV = "csv"
    JSON_LINES = "jsonl"


class ImportOptions(StrictModel):
    """How the rows are read. `mapping` says what a column is: header → field, or null to leave it out."""

    mapping: Annotated[Mapping[str, str | None], Field(max_length=200)] = {}
    dry_run: bool = False
    on_existing: ExistingContactPolicy = ExistingContactPolicy.UPSERT
    #: Where the consent in the rows comes from, and what proves it.
    consent_source: Source = "import"
    consent_proof: Proof | None = None


class ImportRequest(ImportOptions):
    """The rows come inline or from an uploaded file."""

    #: With JSON's escapes around 5 MiB of CSV.
    max_bytes: ClassVar[int] = 6 * 1_048_576
    #: `curl --data-binary @contacts.csv -H "Content-Type: text/csv"` sends the file as it is.
    plain_bodies: ClassVar[Mapping[str, str]] = {
        "text/csv": "csv",
        "application/jsonl": "json_lines",
        "application/x-ndjson": "json_lines",
    }

    csv: str | None = None
    #: One JSON object a line, with the fields of a contact.
    json_lines: str | None = None
    #: Of an upload; a name that ends in .jsonl or .ndjson holds JSON lines.
    file_name: FileName | None = None

    @property
    def format(self) -> Format:
        """By the field that has the rows, or by the file's name."""
        is_lines = self.json_lines is not None or (self.file_name or "").endswith((".jsonl", ".ndjson"))
        return Format.JSON_LINES if is_lines else Format.CSV

    @field_validator("csv", "json_lines")
    @classmethod
    def _fits(cls, text: str | None) -> str | None:
        if text is not None and len(text.encode()) > MAX_INLINE_BYTES:
            raise ValueError(f"may have {MAX_INLINE_BYTES} bytes at most; larger files come by upload")
        return text

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if [self.csv, self.json_lines, self.file_name].count(None) != 2:
            raise ValueError("name one of csv, jsonLines and fileName")
        return self


class ContactImport(ImportOptions, StoredDocument):
    """The progress. Every page of rows is one save, so a crash repeats one page at most."""

    kind: ClassVar[str] = "IMPORT"

    status: ImportStatus = ImportStatus.QUEUED
    format: Format = Format.CSV
    file: str
    total_bytes: int
    #: Up to where the file is done with: the next row starts at this byte and this line.
    offset: int
    line: int
    pages: int = 0
    rows: int = 0
    created: int = 0
    updated: int = 0
    skipped: int = 0
    rejected: int = 0
    #: Pages that have a part in the file of rejected rows.
    rejected_pages: tuple[int, ...] = ()
    #: Why it failed as a whole.
    fault: str | None = None
    started_at: Moment | None = None
    completed_at: Moment | None = None

    @property
    def origin(self) -> ConsentSource:
        """How we know of the consent in its rows."""
        return ConsentSource(source=self.consent_source, proof=self.consent_proof)

    @property
    def is_over(self) -> bool:
        """Whether no row will be read any more."""
        return self.status in {ImportStatus.COMPLETED, ImportStatus.FAILED}
