"""What the answers about contacts, consent, segments, files and events look like, as models for OpenAPI."""

from chalicelib.api.responses import Json
from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.consent import OptIn
from chalicelib.model.contact import ConsentState, Contact
from chalicelib.model.export_job import ExportRequest, ExportStatus
from chalicelib.model.import_job import Format, ImportOptions, ImportStatus
from chalicelib.model.message import MessageType


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


class EventResult(StrictModel):
    """What became of one event; `field` and `message` where it was refused."""

    id: str
    contact_uid: str | None
    status: str
    field: str | None = None
    message: str | None = None


class EventResults(StrictModel):
    """One result for each event, in order."""

    accepted: int
    results: tuple[EventResult, ...]


class ConsentResponse(StrictModel):
    """What was noted; `confirmation` where the contact was asked."""

    contact_uid: str
    channel_type: str
    message_type: MessageType
    state: ConsentState
    confirmation: OptIn | None = None


class SegmentSummary(StrictModel):
    """A segment in a list, without its filter."""

    uid: str
    created_at: Moment
    updated_at: Moment
    name: str
    description: str


class Explanation(StrictModel):
    """Whether a contact is a member, and what each comparison found."""

    contact_uid: str
    matches: bool
    comparisons: tuple[Json, ...]


class SegmentPreviewResponse(StrictModel):
    """`count` is `error` more or less, unless `exact`."""

    count: int
    error: int
    exact: bool
    contacts: int
    samples: tuple[Contact, ...]
    contact: Explanation | None


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
