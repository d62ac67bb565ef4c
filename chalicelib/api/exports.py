"""Routes of uploads and exports, for files that are too large for a body."""

from datetime import timedelta

from chalice.app import Blueprint

from chalicelib.api.http.endpoint import ApiResponse, Call, NoBody, endpoint, respond
from chalicelib.api.responses.build import build_response
from chalicelib.api.responses.files import ExportResponse, UploadResponse
from chalicelib.core.reporting.export import start_export
from chalicelib.model.base import StrictModel
from chalicelib.model.export_job import DataExport, ExportRequest, ExportStatus
from chalicelib.model.ids import new_uid
from chalicelib.model.import_job import FileName
from chalicelib.model.workspace import Scope

blueprint = Blueprint(__name__)
#: Lifetime of a link, long enough for a large file over a slow connection.
UPLOAD_SECONDS, DOWNLOAD_SECONDS = 3_600, 900


class NewUpload(StrictModel):
    """The body of an upload. A file name that ends in .jsonl or .ndjson means JSON Lines."""

    file_name: FileName | None = None
    """Name of the file for the import; default is a generated name that ends in .csv."""


@endpoint(
    blueprint,
    "POST /v1/uploads",
    response=UploadResponse,
    status=201,
    scope=Scope.WRITE,
    body=NewUpload,
    idempotent=True,
)
def post_upload(call: Call[NewUpload, NoBody]) -> ApiResponse[UploadResponse]:
    """Return a URL for the upload of a file with one PUT. Then import it by its `fileName`."""
    name = call.body.file_name or f"{new_uid()}.csv"
    url = call.ports.files.upload_link(f"{call.workspace}/uploads/{name}", UPLOAD_SECONDS)
    expires = call.ports.clock.real() + timedelta(seconds=UPLOAD_SECONDS)
    return respond(
        UploadResponse(file_name=name, method="PUT", url=url, expires_at=expires), "Put the file to the URL", 201
    )


@endpoint(
    blueprint,
    "POST /v1/exports",
    response=ExportResponse,
    status=202,
    scope=Scope.READ,
    body=ExportRequest,
    idempotent=True,
)
def post_export(call: Call[ExportRequest, NoBody]) -> ApiResponse[ExportResponse]:
    """Start an export in the background."""
    return respond(_response(call, start_export(call.ports, call.workspace, call.body)), "Export queued", 202)


@endpoint(blueprint, "GET /v1/exports/{uid}", response=ExportResponse)
def get_export(call: Call[NoBody, NoBody]) -> ApiResponse[ExportResponse]:
    """Return the progress of an export, and at its end the link to the file."""
    return respond(_response(call, call.ports.catalog.get(call.workspace, DataExport, call.uid)), "Export")


def _response(call: Call[ExportRequest, NoBody] | Call[NoBody, NoBody], export: DataExport) -> ExportResponse:
    done = export.status is ExportStatus.COMPLETED
    return build_response(
        ExportResponse, export, url=call.ports.files.link(export.file, DOWNLOAD_SECONDS) if done else None
    )
