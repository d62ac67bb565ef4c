"""Imports contacts from CSV or JSON Lines in the background: page by page, each page harmless when done twice."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from io import BytesIO
from itertools import islice

from chalicelib.core.contacts.csv_reader import (
    Columns,
    CsvRecord,
    Row,
    read_header,
    read_records,
    read_row,
    write_rejected,
    write_rejected_header,
)
from chalicelib.core.contacts.import_page import PageResult, import_page
from chalicelib.core.contacts.jsonl_reader import COLUMNS, read_json_line, read_lines
from chalicelib.core.queueing.enqueue_job import enqueue_job
from chalicelib.errors import Conflict, InvalidRequest, NotFound, invalid
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.import_job import ContactImport, Format, ImportRequest, ImportStatus
from chalicelib.model.queue_messages import Import
from chalicelib.ports import Ports

#: One page: about 12 batch reads, 500 writes, one save of the progress; about a second.
PAGE_ROWS = 500
#: With less time left than this a new message goes on.
RESERVE = timedelta(seconds=10)


def start_import(ports: Ports, workspace: WorkspaceUid, request: ImportRequest) -> ContactImport:
    """Stores file and progress and queues the job. InvalidRequest for an unusable header; nothing stays then."""
    uid, now = new_uid(), ports.clock.now()
    text = request.csv if request.csv is not None else request.json_lines
    if text is None:
        file = f"{workspace}/uploads/{request.file_name}"
        start, size = _check_upload(ports, file, request)
    else:
        file, content = f"{workspace}/imports/{uid}/rows.{request.format}", text.encode()
        size, start = len(content), _check_start(BytesIO(content), request)
        ports.files.put(file, content)
    task = ContactImport(
        uid=uid,
        created_at=now,
        updated_at=now,
        mapping=request.mapping,
        dry_run=request.dry_run,
        on_existing=request.on_existing,
        consent_source=request.consent_source,
        consent_proof=request.consent_proof,
        format=request.format,
        file=file,
        total_bytes=size,
        offset=start.size,
        line=1 + start.lines,
    )
    enqueue_job(ports, workspace, task, Import(workspace=workspace, uid=uid))
    return task


def run_import(ports: Ports, job: Import, time_left: Callable[[], timedelta]) -> None:
    """Reads on where the progress stands; queues itself again when its time is nearly over."""
    workspace = job.workspace
    task = ports.catalog.find(workspace, ContactImport, job.uid)
    if task is None or task.is_over:
        return
    try:
        _run(ports, workspace, task, time_left)
    except Conflict:
        return  # Another delivery of this message works on it too, and is ahead.
    except (InvalidRequest, NotFound) as error:
        _fail(ports, workspace, job.uid, str(error))


def read_rejected(ports: Ports, workspace: WorkspaceUid, uid: str) -> str:
    """The rejected rows so far, as CSV with a header. NotFound."""
    task = ports.catalog.get(workspace, ContactImport, uid)
    columns = _read_columns(ports, task)
    parts = (ports.files.get(_part_name(workspace, task, page)).decode() for page in task.rejected_pages)
    return write_rejected_header(columns) + "".join(parts)


def _run(ports: Ports, workspace: WorkspaceUid, task: ContactImport, time_left: Callable[[], timedelta]) -> None:
    if task.status is ImportStatus.QUEUED:
        task = _save(ports, workspace, task, status=ImportStatus.RUNNING, started_at=ports.clock.now())
    columns = _read_columns(ports, task)
    read = read_lines if task.format is Format.JSON_LINES else read_records
    records = read(ports.files.lines(task.file, task.offset), task.line)
    while time_left() > RESERVE:
        page = list(islice(records, PAGE_ROWS))
        if not page:
            _save(ports, workspace, task, status=ImportStatus.COMPLETED, completed_at=ports.clock.now())
            return
        task = _do_page(ports, workspace, task, columns, page)
    ports.jobs.send(Import(workspace=workspace, uid=task.uid))


def _do_page(
    ports: Ports, workspace: WorkspaceUid, task: ContactImport, columns: Columns, page: list[CsvRecord]
) -> ContactImport:
    rows = [row for record in page if (row := _read_row(task, record, columns)) is not None]
    result = import_page(ports, workspace, task, rows)
    if result.rejected:
        part = write_rejected(result.rejected, columns)
        ports.files.put(_part_name(workspace, task, task.pages), part.encode())
    return _save(ports, workspace, task, **_progress(task, page, rows, result))


def _read_row(task: ContactImport, record: CsvRecord, columns: Columns) -> Row | None:
    is_lines = task.format is Format.JSON_LINES
    return read_json_line(record, task.mapping) if is_lines else read_row(record, columns)


def _progress(task: ContactImport, page: list[CsvRecord], rows: list[Row], result: PageResult) -> dict[str, object]:
    return {
        "offset": task.offset + sum(record.size for record in page),
        "line": page[-1].line + page[-1].lines,
        "pages": task.pages + 1,
        "rows": task.rows + len(rows),
        "created": task.created + result.created,
        "updated": task.updated + result.updated,
        "skipped": task.skipped + result.skipped,
        "rejected": task.rejected + len(result.rejected),
        "rejected_pages": (*task.rejected_pages, task.pages) if result.rejected else task.rejected_pages,
    }


def _save(ports: Ports, workspace: WorkspaceUid, task: ContactImport, **changes: object) -> ContactImport:
    return ports.catalog.save(workspace, task.model_copy(update={**changes, "updated_at": ports.clock.now()}))


def _fail(ports: Ports, workspace: WorkspaceUid, uid: str, fault: str) -> None:
    task = ports.catalog.get(workspace, ContactImport, uid)
    _save(ports, workspace, task, status=ImportStatus.FAILED, fault=fault, completed_at=ports.clock.now())


def _check_upload(ports: Ports, file: str, request: ImportRequest) -> tuple[CsvRecord, int]:
    """Check an upload and return its header and size. Reads only its beginning, because it may be large."""
    try:
        return _check_start(ports.files.lines(file, 0), request), ports.files.size(file)
    except NotFound as error:
        raise invalid("fileName", f"{request.file_name} was not uploaded") from error


def _check_start(lines: Iterable[bytes], request: ImportRequest) -> CsvRecord:
    """Return the header before the rows. JSON Lines have an empty one."""
    if request.format is Format.JSON_LINES:
        if next(iter(lines), None) is None:
            raise invalid("jsonLines", "is empty: it needs a JSON object on each line")
        return CsvRecord(1, 0, 0, b"")
    header = _header_of(lines)
    read_header(header.raw, request.mapping)
    return header


def _read_columns(ports: Ports, task: ContactImport) -> Columns:
    if task.format is Format.JSON_LINES:
        return COLUMNS
    return read_header(_header_of(ports.files.lines(task.file, 0)).raw, task.mapping)


def _header_of(lines: Iterable[bytes]) -> CsvRecord:
    header = next(read_records(lines, 1), None)
    if header is None or header.fault:
        raise invalid("csv", f"the header {header.fault}" if header else "is empty: it needs a header and rows")
    return header


def _part_name(workspace: WorkspaceUid, task: ContactImport, page: int) -> str:
    return f"{workspace}/imports/{task.uid}/rejected-{page:06d}.csv"
