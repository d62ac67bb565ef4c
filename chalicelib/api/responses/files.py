"""Response models of imports, exports and uploads."""

from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.export_job import ExportRequest, ExportStatus
from chalicelib.model.import_job import Format, ImportOptions, ImportStatus


class ImportResponse(ImportOptions):
    """How far an import is."""

    uid: str
    created_at: Moment
    updated_at: Moment
    status: ImportStatus
    format: Format
    total_bytes: int
    offset: int
    rows: int
    created: int
    updated: int
    skipped: int
    rejected: int
    fault: str | None
    started_at: Moment | None
    completed_at: Moment | None
    rejected_url: str | None


class UploadResponse(StrictModel):
    """Where the file is to be put."""

    file_name: str
    method: str
    url: str
    expires_at: Moment


class ExportResponse(StrictModel):
    """How far an export is; `url` once it is completed."""

    uid: str
    created_at: Moment
    updated_at: Moment
    request: ExportRequest
    status: ExportStatus
    finding_columns: bool
    columns: tuple[str, ...]
    rows: int
    fault: str | None
    completed_at: Moment | None
    url: str | None
