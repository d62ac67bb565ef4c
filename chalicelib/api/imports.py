"""Routes of imports."""

from typing import Annotated

from chalice.app import Blueprint

from chalicelib.api.http.call import READ_FLAG
from chalicelib.api.http.endpoint import ApiResponse, Call, NoBody, NoData, endpoint, respond
from chalicelib.api.responses.build import build_response
from chalicelib.api.responses.files import ImportResponse
from chalicelib.core.contacts.import_contacts import read_rejected, start_import
from chalicelib.model.base import StrictModel
from chalicelib.model.consent import Proof, Source
from chalicelib.model.import_job import ContactImport, ExistingContactPolicy, ImportRequest
from chalicelib.model.workspace import Scope

blueprint = Blueprint(__name__)
#: Largest inline file. Lambda returns at most 6 MB, including JSON escapes.
MAX_INLINE_ANSWER = 4_000_000
LINK_SECONDS = 900


class ImportQuery(StrictModel):
    """Options for a body that is the file itself."""

    dry_run: Annotated[bool, READ_FLAG] = False
    """Whether records are only validated; default false."""
    on_existing: ExistingContactPolicy = ExistingContactPolicy.UPSERT
    """What to do with a record whose contact exists; default `upsert`."""
    consent_source: Source = "import"
    """Origin of the consent in the records; default `import`."""
    consent_proof: Proof | None = None
    """Proof of the consent in the records."""


@endpoint(
    blueprint,
    "POST /v1/contacts/import",
    response=ImportResponse,
    status=202,
    scope=Scope.WRITE,
    body=ImportRequest,
    query=ImportQuery,
    idempotent=True,
)
def post_import(call: Call[ImportRequest, ImportQuery]) -> ApiResponse[ImportResponse]:
    """Start an import in the background. Query parameters override the body."""
    options = {name: getattr(call.query, name) for name in call.query.model_fields_set}
    request = call.body.model_copy(update=options)
    return respond(_response(start_import(call.ports, call.workspace, request)), "Import queued", 202)


@endpoint(blueprint, "GET /v1/imports/{uid}", response=ImportResponse)
def get_import(call: Call[NoBody, NoBody]) -> ApiResponse[ImportResponse]:
    """Return the progress of an import."""
    return respond(_response(call.ports.catalog.get(call.workspace, ContactImport, call.uid)), "Import")


@endpoint(blueprint, "GET /v1/imports/{uid}/rejected", response=NoData, also_status=303, media_type="text/csv")
def get_rejected(call: Call[NoBody, NoBody]) -> ApiResponse[NoData]:
    """Return the rejected rows as CSV, or a link to a large file."""
    text = read_rejected(call.ports, call.workspace, call.uid)
    if len(text.encode()) > MAX_INLINE_ANSWER:
        name = f"{call.workspace}/imports/{call.uid}/rejected.csv"
        call.ports.files.put(name, text.encode())
        return ApiResponse(303, "", {"Location": call.ports.files.link(name, LINK_SECONDS)}, "text/csv; charset=utf-8")
    headers = {"Content-Disposition": f'attachment; filename="rejected-{call.uid}.csv"'}
    return ApiResponse(200, text, headers, "text/csv; charset=utf-8")


def _response(task: ContactImport) -> ImportResponse:
    rejected_url = f"/v1/imports/{task.uid}/rejected" if task.rejected else None
    return build_response(ImportResponse, task, rejected_url=rejected_url)
