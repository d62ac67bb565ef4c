"""Response models of imports, exports and uploads."""

from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.export_job import ExportRequest, ExportStatus
from chalicelib.model.import_job import Format, ImportOptions, ImportStatus


class ImportResponse(ImportOptions):
    """How far an import is."""

    uid: str
    """Identifier of the import."""
    created_at: Moment
    """Time at which the import was queued."""
    updated_at: Moment
    """Time of the last progress."""
    status: ImportStatus
    """Status of the import; `completed` and `failed` are final."""
    format: Format
    """Format of the file: `csv` or `jsonl`."""
    total_bytes: int
    """Size of the file in bytes."""
    offset: int
    """Number of bytes that are processed."""
    rows: int
    """Number of records read so far."""
    created: int
    """Number of contacts that were created."""
    updated: int
    """Number of contacts that were changed."""
    skipped: int
    """Number of records whose contact existed and was left unchanged."""
    rejected: int
    """Number of invalid records."""
    fault: str | None
    """Why the import failed as a whole; null if it did not."""
    started_at: Moment | None
    """Time at which reading started; null before."""
    completed_at: Moment | None
    """Time at which the import ended; null before."""
    rejected_url: str | None
    """Path of the rejected records as CSV; null if there are none."""


class UploadResponse(StrictModel):
    """Where the file is to be put."""

    file_name: str
    """Name to pass to an import as `fileName`."""
    method: str
    """HTTP method of the upload: `PUT`."""
    url: str
    """Signed URL that accepts the file for one hour."""
    expires_at: Moment
    """Time after which the URL is invalid."""


class ExportResponse(StrictModel):
    """How far an export is; `url` once it is completed."""

    uid: str
    """Identifier of the export."""
    created_at: Moment
    """Time at which the export was queued."""
    updated_at: Moment
    """Time of the last progress."""
    request: ExportRequest
    """The request that started the export."""
    status: ExportStatus
    """Status of the export; `completed` and `failed` are final."""
    finding_columns: bool
    """Whether the first pass, which collects the columns, is running."""
    columns: tuple[str, ...]
    """Columns of the file, at most 1,000."""
    rows: int
    """Number of records written so far."""
    fault: str | None
    """Why the export failed; null if it did not."""
    completed_at: Moment | None
    """Time at which the export ended; null before."""
    url: str | None
    """Signed link to the file, valid for 15 minutes; null until the export is completed."""
