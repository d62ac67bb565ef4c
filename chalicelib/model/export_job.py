"""Exports of contacts or executions to a file: request and progress."""

from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from chalicelib.model.base import Moment, StoredDocument, StrictModel, Uid
from chalicelib.model.contact import ContactStatus, Tag
from chalicelib.model.import_job import Format


class ExportOf(StrEnum):
    """The kind of records in the file."""

    CONTACTS = "contacts"
    EXECUTIONS = "executions"


class ExportStatus(StrEnum):
    """Status of an export. The last two are final."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class ExportRequest(StrictModel):
    """Request for an export: contacts, optionally by tag or status, or the executions of one flow."""

    of: ExportOf
    """What to export: `contacts`, or the `executions` of one flow."""
    format: Format = Format.CSV
    """`csv` (default) or `jsonl`; executions are exported as CSV only."""
    flow_uid: Uid | None = None
    """Flow whose executions are exported; required for executions only."""
    tag: Tag | None = None
    """Only contacts with this tag."""
    status: ContactStatus | None = None
    """Only contacts with this status."""

    @model_validator(mode="after")
    def _check_filters(self) -> Self:
        is_flow = self.of is ExportOf.EXECUTIONS
        if is_flow != (self.flow_uid is not None):
            raise ValueError("flowUid is required for executions and not allowed for contacts")
        if is_flow and (self.tag or self.status or self.format is not Format.CSV):
            raise ValueError("tag, status and jsonl are allowed for contacts only")
        return self


class DataExport(StoredDocument):
    """Progress of an export. Each part of the file is one save, so a crash repeats at most one part."""

    kind: ClassVar[str] = "EXPORT"

    request: ExportRequest
    file: str
    status: ExportStatus = ExportStatus.QUEUED
    #: Token of the multipart upload, and the ETags of its parts so far.
    token: str = ""
    parts: tuple[str, ...] = ()
    #: Position at which reading continues, and whether this is the first pass, which collects the columns.
    cursor: str | None = None
    finding_columns: bool = False
    columns: Annotated[tuple[str, ...], Field(max_length=1_000)] = ()
    rows: int = 0
    fault: str | None = None
    completed_at: Moment | None = None

    @property
    def is_over(self) -> bool:
        """Report whether the export has ended."""
        return self.status in {ExportStatus.COMPLETED, ExportStatus.FAILED}
